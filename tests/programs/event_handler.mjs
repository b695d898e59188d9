// Print the answer while it is written, with the listeners of a stream.

import OpenAI from 'openai';

const openai = new OpenAI();
const assistant = await openai.beta.assistants.create({
  model: 'gpt-4o',
  tools: [{ type: 'function', function: { name: 'getRain' } }],
});

for (const content of ['Hello', 'Will it rain?']) {
  const thread = await openai.beta.threads.create();
  await openai.beta.threads.messages.create(thread.id, { role: 'user', content });
  const stream = openai.beta.threads.runs
    .stream(thread.id, { assistant_id: assistant.id })
    .on('textCreated', () => process.stdout.write('assistant > '))
    .on('textDelta', (delta) => process.stdout.write(delta.value + '|'))
    .on('textDone', (text) => console.log(`\n${text.value}`))
    .on('toolCallCreated', (call) => console.log(`assistant > ${call.type}`))
    .on('toolCallDone', (call) => console.log(`${call.function.name}(${call.function.arguments})`));
  const run = await stream.finalRun();
  console.log(run.status);
}
