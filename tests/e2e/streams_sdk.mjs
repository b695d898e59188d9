// Tests of streams of runs with the official SDK for Node.js, like those of streams_sdk.py.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { VERSION } from 'openai/version';

const { assistants, threads } = new OpenAI().beta;
const old = VERSION.startsWith('4.');

const BEGINS = ['thread.run.created', 'thread.run.queued', 'thread.run.in_progress'];
const MESSAGE = ['thread.run.step.created', 'thread.run.step.in_progress', 'thread.message.created', 'thread.message.in_progress', 'thread.message.delta'];
const ANSWER = [...MESSAGE, 'thread.message.completed', 'thread.run.step.completed'];
const CALLS = ['thread.run.step.created', 'thread.run.step.in_progress', 'thread.run.step.delta'];
const WEATHER = { type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: {} } } };
const QUESTION = 'How does AI work?';

const newAssistant = async (fields = {}) => (await assistants.create({ model: 'gpt-4o', ...fields })).id;
const asking = async (content = QUESTION) => (await threads.create({ messages: [{ role: 'user', content }] })).id;

async function eventsOf(stream) {
  const events = [];
  for await (const event of await stream) events.push(event);
  return events;
}

// Several deltas of one message count as one.
const merged = (found) => found.filter((name, index) => !/delta/i.test(name) || name !== found[index - 1]);
const names = (events) => merged(events.map(({ event }) => event));

// Follow an AssistantStream to its end. Return the names of its callbacks. The last name is that of the end's callback.
async function followed(stream) {
  const log = [];
  for (const name of ['textCreated', 'textDelta', 'textDone', 'messageDone', 'toolCallCreated', 'toolCallDelta', 'toolCallDone', 'runStepDone', 'end']) {
    stream.on(name, () => log.push(name));
  }
  await stream.done();
  return log;
}

test('an answer comes event by event', async () => {
  const threadId = await asking();
  const events = await eventsOf(threads.runs.create(threadId, { assistant_id: await newAssistant(), stream: true }));
  assert.deepEqual(names(events), [...BEGINS, ...ANSWER, 'thread.run.completed']);
  const [message] = (await threads.messages.list(threadId)).data;
  assert.deepEqual(events.at(-3).data, message);
});

test('an AssistantStream hears of the text', async () => {
  const stream = threads.runs.stream(await asking(), { assistant_id: await newAssistant() });
  const log = await followed(stream);
  assert.deepEqual(merged(log), ['textCreated', 'textDelta', 'textDone', 'messageDone', 'runStepDone', 'end']);
  const [message] = await stream.finalMessages();
  assert.equal(message.content[0].text.value, `You said: ${QUESTION}`);
  assert.equal((await stream.finalRun()).status, 'completed');
});

test('function calls and their outputs are streamed', async () => {
  const threadId = await asking();
  const assistant_id = await newAssistant({ tools: [WEATHER] });
  const events = await eventsOf(threads.runs.create(threadId, { assistant_id, stream: true }));
  assert.deepEqual(names(events), [...BEGINS, ...CALLS, 'thread.run.requires_action']);
  const run = events.at(-1).data;
  const tool_outputs = run.required_action.submit_tool_outputs.tool_calls.map(({ id }) => ({ tool_call_id: id, output: 'sunny' }));
  const body = { tool_outputs, stream: true };
  const submitted = old
    ? threads.runs.submitToolOutputs(threadId, run.id, body)
    : threads.runs.submitToolOutputs(run.id, { thread_id: threadId, ...body });
  const outputs = await eventsOf(submitted);
  assert.deepEqual(names(outputs), ['thread.run.step.completed', ...BEGINS.slice(1), ...ANSWER, 'thread.run.completed']);
});

test('an AssistantStream hears of function calls', async () => {
  const threadId = await asking();
  const stream = threads.runs.stream(threadId, { assistant_id: await newAssistant({ tools: [WEATHER] }) });
  const call = ['toolCallCreated', 'toolCallDelta'];
  const log = (await followed(stream)).filter((name) => name !== 'toolCallDone');
  assert.deepEqual(log, [...call, ...call, 'end']);
  const run = await stream.finalRun();
  const tool_outputs = run.required_action.submit_tool_outputs.tool_calls.map(({ id }) => ({ tool_call_id: id, output: 'sunny' }));
  const next = old
    ? threads.runs.submitToolOutputsStream(threadId, run.id, { tool_outputs })
    : threads.runs.submitToolOutputsStream(run.id, { thread_id: threadId, tool_outputs });
  assert.equal((await followed(next)).at(-1), 'end');
  assert.equal((await next.finalRun()).status, 'completed');
});

test('a thread is created and run in one stream', async () => {
  const thread = { messages: [{ role: 'user', content: QUESTION }] };
  const assistant_id = await newAssistant();
  const events = await eventsOf(threads.createAndRun({ assistant_id, thread, stream: true }));
  assert.deepEqual(names(events), ['thread.created', ...BEGINS, ...ANSWER, 'thread.run.completed']);
  const stream = threads.createAndRunStream({ assistant_id, thread });
  assert.equal((await followed(stream)).at(-1), 'end');
});

test('a failed run ends its stream', async () => {
  for (const [content, ends] of [
    ['Fail', ['thread.run.failed']],
    ['Half', [...MESSAGE, 'thread.message.incomplete', 'thread.run.step.failed', 'thread.run.failed']],
  ]) {
    const events = await eventsOf(threads.runs.create(await asking(content), { assistant_id: await newAssistant(), stream: true }));
    assert.deepEqual(names(events), [...BEGINS, ...ends]);
  }
});

test('a run is cancelled while it streams', async () => {
  const threadId = await asking('Slowly');
  const seen = [];
  for await (const { event } of await threads.runs.create(threadId, { assistant_id: await newAssistant(), stream: true })) {
    seen.push(event);
    if (event === 'thread.message.delta' && seen.length === BEGINS.length + MESSAGE.length) {
      const [run] = (await threads.runs.list(threadId)).data;
      await (old ? threads.runs.cancel(threadId, run.id) : threads.runs.cancel(run.id, { thread_id: threadId }));
    }
  }
  assert.deepEqual(seen.filter((name, index) => index < 8 || name !== 'thread.message.delta'), [
    ...BEGINS,
    ...MESSAGE,
    'thread.run.cancelling',
    'thread.message.incomplete',
    'thread.run.step.cancelled',
    'thread.run.cancelled',
  ]);
});
