// Tests with the official SDK for Node.js. Node's test runner runs them next to their node_modules (see test_node_sdk.py).

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import OpenAI, { AzureOpenAI } from 'openai';
import { VERSION } from 'openai/version';

const { OPENAI_BASE_URL, OPENAI_API_KEY, OTHER_API_KEY, LOSSY_BASE_URL, LONG_THREAD_ID, EXPECTED_VERSION } = process.env;
const ROOT_URL = OPENAI_BASE_URL.replace(/\/v1$/, '');

const client = new OpenAI();
const { threads } = client.beta;
const { messages } = threads;

// The calls that take two ids have another form in 4.x, and delete is called del there.
const old = VERSION.startsWith('4.');
const on = (object, threadId, messageId) =>
  old
    ? {
        retrieve: () => object.retrieve(threadId, messageId),
        update: (body) => object.update(threadId, messageId, body),
        delete: () => object.del(threadId, messageId),
      }
    : {
        retrieve: () => object.retrieve(messageId, { thread_id: threadId }),
        update: (body) => object.update(messageId, { thread_id: threadId, ...body }),
        delete: () => object.delete(messageId, { thread_id: threadId }),
      };
const deleteThread = (object, threadId) => (old ? object.del(threadId) : object.delete(threadId));

async function walk(pages) {
  const all = [];
  for await (const element of pages) all.push(element);
  return all;
}

const say = async (threadId, content, options) =>
  messages.create(threadId, { role: 'user', content }, options);

test('this is the version that was asked for', () => assert.equal(VERSION, EXPECTED_VERSION));

test('a thread is created, retrieved, updated and deleted', async () => {
  const thread = await threads.create({ messages: [{ role: 'user', content: 'One' }], metadata: { user_id: 'u-1' } });
  assert.deepEqual(await threads.retrieve(thread.id), thread);
  assert.deepEqual((await threads.update(thread.id, { metadata: null })).metadata, {});
  assert.deepEqual(await deleteThread(threads, thread.id), { id: thread.id, object: 'thread.deleted', deleted: true });
  await assert.rejects(threads.retrieve(thread.id), OpenAI.NotFoundError);
});

test('the five message operations', async () => {
  const thread = await threads.create(); // sends no body at all
  const message = await say(thread.id, 'How does AI work?');
  assert.deepEqual(Object.keys(message).slice(0, 14), [
    'id', 'object', 'created_at', 'assistant_id', 'thread_id', 'run_id', 'role', 'content', 'attachments',
    'metadata', 'status', 'incomplete_details', 'completed_at', 'incomplete_at',
  ]);
  assert.deepEqual(message.content, [{ type: 'text', text: { value: 'How does AI work?', annotations: [] } }]);
  const it = on(messages, thread.id, message.id);
  assert.deepEqual(await walk(messages.list(thread.id)), [message]);
  assert.deepEqual(await it.retrieve(), message);
  assert.deepEqual(await it.update({ metadata: { a: '1' } }), { ...message, metadata: { a: '1' } });
  assert.deepEqual((await it.update({})).metadata, { a: '1' });
  assert.deepEqual((await it.update({ metadata: null })).metadata, {});
  assert.deepEqual(await it.delete(), { id: message.id, object: 'thread.message.deleted', deleted: true });
  await assert.rejects(it.retrieve(), OpenAI.NotFoundError);
});

test('every form of content comes back', async () => {
  const thread = await threads.create();
  const message = await messages.create(thread.id, {
    role: 'assistant',
    content: [
      { type: 'text', text: 'é😀' },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
      { type: 'image_file', image_file: { file_id: 'file-1', detail: 'high' } },
    ],
    attachments: [{ file_id: 'file-1', tools: [{ type: 'file_search' }] }],
  });
  assert.deepEqual(message.content, [
    { type: 'text', text: { value: 'é😀', annotations: [] } },
    { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'auto' } },
    { type: 'image_file', image_file: { file_id: 'file-1', detail: 'high' } },
  ]);
  assert.deepEqual(message.attachments, [{ file_id: 'file-1', tools: [{ type: 'file_search' }] }]);
});

for (const order of ['asc', 'desc']) {
  test(`iterating ${order} meets each of 100 messages once, and before walks back`, async () => {
    const all = await walk(messages.list(LONG_THREAD_ID, { limit: 7, order }));
    const expected = Array.from({ length: 100 }, (_, number) => `message ${number}`);
    assert.deepEqual(all.map((message) => message.content[0].text.value), order === 'asc' ? expected : expected.reverse());
    const back = [];
    let page;
    let before = all.at(-1).id;
    do {
      page = await messages.list(LONG_THREAD_ID, { limit: 7, order, before });
      back.unshift(...page.data);
      before = page.data[0].id;
    } while (page.body?.has_more ?? page.has_more);
    assert.deepEqual(back, all.slice(0, -1));
  });
}

test('an Idempotency-Key in headers holds when the answer is lost', async () => {
  const thread = await threads.create();
  const lossy = new OpenAI({ baseURL: LOSSY_BASE_URL });
  const headers = { 'Idempotency-Key': randomUUID(), 'x-lose': randomUUID() };
  const message = await lossy.beta.threads.messages.create(thread.id, { role: 'user', content: 'Once' }, { headers });
  assert.deepEqual(await walk(messages.list(thread.id)), [message]);
});

test('the option idempotencyKey sends nothing', async () => {
  const thread = await threads.create();
  const options = { idempotencyKey: randomUUID() };
  await say(thread.id, 'Twice', options);
  await say(thread.id, 'Twice', options);
  assert.equal((await walk(messages.list(thread.id))).length, 2);
});

test('an error is the SDK’s own', async () => {
  const thread = await threads.create();
  await assert.rejects(messages.create(thread.id, { role: 'human', content: 'x' }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.deepEqual([error.param, error.code, error.type], ['role', 'invalid_value', 'invalid_request_error']);
    return true;
  });
  const wrong = new OpenAI({ apiKey: 'sk-wrong-one' });
  await assert.rejects(wrong.beta.threads.create(), OpenAI.AuthenticationError);
  const key = { headers: { 'Idempotency-Key': randomUUID() } };
  await say(thread.id, 'One', key);
  await assert.rejects(say(thread.id, 'Another', key), OpenAI.ConflictError);
});

for (const [status, kind] of [[413, OpenAI.APIError], [429, OpenAI.RateLimitError], [503, OpenAI.InternalServerError]]) {
  test(`a ${status} of API Gateway is an error too`, async () => {
    const options = { maxRetries: 0, headers: { 'x-local-gateway': String(status) } };
    await assert.rejects(threads.create({}, options), (error) => error instanceof kind && error.status === status);
  });
}

for (const baseURL of [ROOT_URL, `${ROOT_URL}/`, OPENAI_BASE_URL, `${OPENAI_BASE_URL}/`]) {
  test(`the base URL may be ${baseURL}`, async () => {
    const { beta } = new OpenAI({ baseURL });
    const thread = await beta.threads.create();
    assert.equal((await beta.threads.messages.create(thread.id, { role: 'user', content: 'x' })).thread_id, thread.id);
  });
}

const azure = {
  // Without `baseURL: null` the client takes OPENAI_BASE_URL, and then refuses an endpoint as well.
  'AzureOpenAI with api-key': () =>
    new AzureOpenAI({ endpoint: ROOT_URL, baseURL: null, apiKey: OPENAI_API_KEY, apiVersion: '2024-05-01-preview' }),
  'OpenAI at openai/v1': () => new OpenAI({ baseURL: `${ROOT_URL}/openai/v1` }),
};

for (const [name, connect] of Object.entries(azure)) {
  test(`all operations answer where Azure has them: ${name}`, async () => {
    const { threads } = connect().beta;
    const thread = await threads.create({ metadata: { a: '1' } });
    assert.deepEqual(await threads.retrieve(thread.id), thread);
    assert.deepEqual((await threads.update(thread.id, { metadata: { a: '2' } })).metadata, { a: '2' });
    const said = [];
    for (const content of ['0', '1', '2', '3', '4']) {
      said.push(await threads.messages.create(thread.id, { role: 'user', content }));
    }
    assert.deepEqual(await walk(threads.messages.list(thread.id, { limit: 2, order: 'asc' })), said);
    const it = on(threads.messages, thread.id, said[0].id);
    assert.deepEqual(await it.retrieve(), said[0]);
    assert.deepEqual((await it.update({ metadata: { b: '1' } })).metadata, { b: '1' });
    assert.equal((await it.delete()).deleted, true);
    assert.equal((await deleteThread(threads, thread.id)).deleted, true);
  });
}

test('another project sees and changes nothing', async () => {
  const thread = await threads.create();
  const message = await say(thread.id, 'Mine');
  const other = new OpenAI({ apiKey: OTHER_API_KEY }).beta.threads;
  const it = on(other.messages, thread.id, message.id);
  const calls = [
    () => other.retrieve(thread.id),
    () => other.update(thread.id, { metadata: { a: '1' } }),
    () => deleteThread(other, thread.id),
    () => other.messages.create(thread.id, { role: 'user', content: 'x' }),
    () => other.messages.list(thread.id),
    it.retrieve,
    () => it.update({ metadata: { a: '1' } }),
    it.delete,
  ];
  for (const call of calls) {
    await assert.rejects(async () => call(), (error) => error instanceof OpenAI.NotFoundError && /No thread found/.test(error.message));
  }
  assert.deepEqual(await walk(messages.list(thread.id)), [message]);
});
