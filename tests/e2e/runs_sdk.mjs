// What the official SDK for Node.js is asked to do with assistants and runs, as node_sdk.mjs; the model is the endpoint of conftest.py.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import OpenAI from 'openai';
import { VERSION } from 'openai/version';

const { OTHER_API_KEY, LOSSY_BASE_URL } = process.env;
const { assistants, threads } = new OpenAI().beta;

// Calls with two ids or more have another form in 4.x, and delete is called del there.
const old = VERSION.startsWith('4.');
const runsOf = ({ runs }, threadId) =>
  old
    ? {
        retrieve: (id) => runs.retrieve(threadId, id),
        update: (id, body) => runs.update(threadId, id, body),
        cancel: (id) => runs.cancel(threadId, id),
        poll: (id) => runs.poll(threadId, id),
        submit: (id, body, options) => runs.submitToolOutputs(threadId, id, body, options),
        submitAndPoll: (id, body) => runs.submitToolOutputsAndPoll(threadId, id, body),
        steps: (id) => runs.steps.list(threadId, id, { order: 'asc' }),
        step: (id, stepId) => runs.steps.retrieve(threadId, id, stepId),
      }
    : {
        retrieve: (id) => runs.retrieve(id, { thread_id: threadId }),
        update: (id, body) => runs.update(id, { thread_id: threadId, ...body }),
        cancel: (id) => runs.cancel(id, { thread_id: threadId }),
        poll: (id) => runs.poll(id, { thread_id: threadId }),
        submit: (id, body, options) => runs.submitToolOutputs(id, { thread_id: threadId, ...body }, options),
        submitAndPoll: (id, body) => runs.submitToolOutputsAndPoll(id, { thread_id: threadId, ...body }),
        steps: (id) => runs.steps.list(id, { thread_id: threadId, order: 'asc' }),
        step: (id, stepId) => runs.steps.retrieve(stepId, { thread_id: threadId, run_id: id }),
      };

const QUESTION = 'How does AI work?';
const SAID = `You said: ${QUESTION}`;
const USAGE = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

async function walk(pages) {
  const all = [];
  for await (const element of pages) all.push(element);
  return all;
}

const newAssistant = async (fields = {}) => (await assistants.create({ model: 'gpt-4o', instructions: 'Be brief.', ...fields })).id;

async function asking(content = QUESTION) {
  const thread = await threads.create();
  await threads.messages.create(thread.id, { role: 'user', content });
  return thread.id;
}

// Return the newest message's text, in the way old programs read it.
const answerOf = async (threadId) => (await threads.messages.list(threadId)).data[0].content[0].text.value;

async function polled(threadId, run) {
  while (['queued', 'in_progress'].includes(run.status)) run = await runsOf(threads, threadId).retrieve(run.id);
  return run;
}

test('the newest message is the answer', async () => {
  const [threadId, assistant_id] = [await asking(), await newAssistant()];
  const run = await threads.runs.createAndPoll(threadId, { assistant_id });
  assert.deepEqual([run.status, run.last_error, run.usage], ['completed', null, USAGE]);
  assert.equal(await answerOf(threadId), SAID);
  const [message] = (await threads.messages.list(threadId)).data;
  assert.deepEqual([message.role, message.run_id, message.assistant_id], ['assistant', run.id, assistant_id]);
  assert.deepEqual(await walk(threads.runs.list(threadId)), [run]);
});

test('a bare loop polls a run to its end', async () => {
  const threadId = await asking();
  const run = await threads.runs.create(threadId, { assistant_id: await newAssistant() });
  assert.equal(run.status, 'queued');
  assert.equal((await polled(threadId, run)).status, 'completed');
  assert.equal(await answerOf(threadId), SAID);
});

test('outputs of two functions are submitted', async () => {
  const threadId = await asking();
  const runs = runsOf(threads, threadId);
  const run = await threads.runs.createAndPoll(threadId, { assistant_id: await newAssistant({ tools: [WEATHER] }) });
  assert.equal(run.status, 'requires_action');
  const calls = run.required_action.submit_tool_outputs.tool_calls;
  assert.deepEqual(calls.map((call) => call.function), [
    { name: 'get_weather', arguments: '{"city":"Rome"}' },
    { name: 'get_weather', arguments: '{"city":"Oslo"}' },
  ]);
  const tool_outputs = calls.map((call, number) => ({ tool_call_id: call.id, output: `sunny ${number}` })).reverse();
  assert.equal((await runs.submitAndPoll(run.id, { tool_outputs })).status, 'completed');
  assert.equal(await answerOf(threadId), 'The functions returned: sunny 0, sunny 1');
  const steps = await walk(runs.steps(run.id));
  assert.deepEqual(steps.map((step) => [step.type, step.status]), [
    ['tool_calls', 'completed'],
    ['message_creation', 'completed'],
  ]);
  assert.deepEqual(steps[0].step_details.tool_calls.map((call) => call.function.output), ['sunny 0', 'sunny 1']);
  for (const step of steps) assert.deepEqual(await runs.step(run.id, step.id), step);
});

test('a thread is created and run at once', async () => {
  const thread = { messages: [{ role: 'user', content: QUESTION }] };
  const run = await threads.createAndRunPoll({ assistant_id: await newAssistant(), thread });
  assert.equal(run.status, 'completed');
  assert.equal(await answerOf(run.thread_id), SAID);
  const updated = await runsOf(threads, run.thread_id).update(run.id, { metadata: { a: '1' } });
  assert.deepEqual(updated, { ...run, metadata: { a: '1' } });
});

test('a cancelled run frees its thread and adds nothing', async () => {
  const threadId = await asking('Wait');
  const runs = runsOf(threads, threadId);
  const run = await threads.runs.create(threadId, { assistant_id: await newAssistant() });
  assert.equal((await runs.cancel(run.id)).status, 'cancelling');
  assert.equal((await runs.poll(run.id)).status, 'cancelled');
  await threads.messages.create(threadId, { role: 'user', content: 'Hello' });
  const roles = (await walk(threads.messages.list(threadId))).map((message) => message.role);
  assert.deepEqual(roles, ['user', 'user']);
});

test('assistants are listed, updated and deleted', async () => {
  const created = await assistants.create({ model: 'gpt-4o', name: randomUUID(), tools: [WEATHER] });
  assert.deepEqual(await assistants.retrieve(created.id), created);
  const updated = await assistants.update(created.id, { instructions: 'Rhyme.', metadata: { b: '2' } });
  assert.deepEqual(updated, { ...created, instructions: 'Rhyme.', metadata: { b: '2' } });
  assert.ok((await walk(assistants.list({ limit: 2 }))).some((assistant) => assistant.id === created.id));
  const deleted = await (old ? assistants.del(created.id) : assistants.delete(created.id));
  assert.deepEqual(deleted, { id: created.id, object: 'assistant.deleted', deleted: true });
  await assert.rejects(assistants.retrieve(created.id), OpenAI.NotFoundError);
});

test('an error is the SDK’s own', async () => {
  const [threadId, assistant_id] = [await asking('Wait'), await newAssistant()];
  const runs = runsOf(threads, threadId);
  const run = await threads.runs.create(threadId, { assistant_id });
  const other = new OpenAI({ apiKey: OTHER_API_KEY }).beta.assistants;
  const refused = [
    [() => threads.runs.create(threadId, { assistant_id }), OpenAI.BadRequestError, 'already has an active run'],
    [() => threads.messages.create(threadId, { role: 'user', content: 'x' }), OpenAI.BadRequestError, "Can't add messages"],
    [() => runs.submit(run.id, { tool_outputs: [] }), OpenAI.BadRequestError, 'do not accept tool outputs.'],
    [() => threads.runs.create(threadId, { assistant_id: 'asst_none' }), OpenAI.NotFoundError, 'No assistant found with id'],
    [() => runs.retrieve('run_none'), OpenAI.NotFoundError, 'No run found with id'],
    [() => other.retrieve(assistant_id), OpenAI.NotFoundError, 'No assistant found with id'],
  ];
  for (const [call, kind, text] of refused) {
    await assert.rejects(async () => call(), (error) => error instanceof kind && error.message.includes(text));
  }
  await runs.cancel(run.id);
  await assert.rejects(async () => runs.cancel(run.id), /Cannot cancel run with status 'cancelled'/);
});

test('a create and a submit whose answers are lost do no harm', async () => {
  const [threadId, assistant_id] = [await asking(), await newAssistant({ tools: [WEATHER] })];
  const lossy = new OpenAI({ baseURL: LOSSY_BASE_URL }).beta.threads;
  const lost = () => ({ headers: { 'x-lose': randomUUID() } });
  const run = await lossy.runs.create(threadId, { assistant_id }, lost());
  const waiting = await polled(threadId, run);
  const calls = waiting.required_action.submit_tool_outputs.tool_calls;
  const tool_outputs = calls.map((call) => ({ tool_call_id: call.id, output: 'sunny' }));
  const sent = await runsOf(lossy, threadId).submit(run.id, { tool_outputs }, lost());
  assert.equal((await polled(threadId, sent)).status, 'completed');
  assert.equal((await walk(threads.messages.list(threadId))).length, 2);
  assert.equal((await walk(threads.runs.list(threadId))).length, 1);
});
