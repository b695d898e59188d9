// Call local functions for the assistant until the run is completed.

import OpenAI from 'openai';

const client = new OpenAI();
const functions = {
  getWeather: ({ city }) => ({ city, temperature: 21 }),
  getTime: () => '12:30',
};
const parameters = { type: 'object', properties: { city: { type: 'string', enum: ['Rome'] } }, required: ['city'] };

const assistant = await client.beta.assistants.create({
  name: 'Weather bot',
  model: 'gpt-4o',
  tools: [
    { type: 'function', function: { name: 'getWeather', parameters } },
    { type: 'function', function: { name: 'getTime' } },
  ],
});
const thread = await client.beta.threads.create();
await client.beta.threads.messages.create(thread.id, { role: 'user', content: 'What time is it, and how is the weather?' });
let run = await client.beta.threads.runs.create(thread.id, { assistant_id: assistant.id });

while (run.status !== 'completed') {
  if (run.status === 'requires_action') {
    const tool_outputs = await Promise.all(
      run.required_action.submit_tool_outputs.tool_calls.map(async (call) => {
        console.log(`Calling ${call.function.name} with ${call.function.arguments}`);
        const output = await functions[call.function.name](JSON.parse(call.function.arguments));
        return { tool_call_id: call.id, output: JSON.stringify(output) };
      }),
    );
    run = await client.beta.threads.runs.submitToolOutputs(run.id, { thread_id: thread.id, tool_outputs });
  } else if (['failed', 'cancelled', 'expired'].includes(run.status)) {
    throw new Error(`Run ${run.status}`);
  } else {
    await new Promise((resolve) => setTimeout(resolve, 100));
    run = await client.beta.threads.runs.retrieve(run.id, { thread_id: thread.id });
  }
}

const messages = await client.beta.threads.messages.list(thread.id);
console.log(messages.data.find((message) => message.role === 'assistant').content[0].text.value);
