// Poll a run without any pause until it is completed.

import OpenAI from 'openai';

const openai = new OpenAI({ apiKey: process.env.OPENAI_API_KEY });

const assistant = await openai.beta.assistants.create({ model: 'gpt-4', instructions: 'You write poems.' });
const thread = await openai.beta.threads.create({ messages: [{ role: 'user', content: 'A poem about rain' }] });
let run = await openai.beta.threads.runs.create(thread.id, { assistant_id: assistant.id });
while (run.status !== 'completed') {
  run = await openai.beta.threads.runs.retrieve(thread.id, run.id);
}
const messages = await openai.beta.threads.messages.list(thread.id);
const answer = messages.data.filter((m) => m.run_id === run.id && m.role === 'assistant').pop();
console.log(answer.content[0].text.value);
