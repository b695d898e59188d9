// Print the newest message of the thread.

import OpenAI from 'openai';

const openai = new OpenAI();

async function ask(question) {
  const assistant = await openai.beta.assistants.create({ model: 'gpt-4o', instructions: 'Answer in one sentence.' });
  const thread = await openai.beta.threads.create();
  await openai.beta.threads.messages.create(thread.id, { role: 'user', content: question });
  const run = await openai.beta.threads.runs.createAndPoll(thread.id, { assistant_id: assistant.id });
  if (run.status !== 'completed') throw new Error(run.status);
  const messages = await openai.beta.threads.messages.list(run.thread_id);
  return messages.data[0].content[0].text.value;
}

console.log(await ask('Why is the sky blue?'));
