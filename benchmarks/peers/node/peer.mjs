// One system in node as a peer: produces its updates from a file of saves, then merges on command.
//
//     node peer.mjs yjs|automerge SAVES.json
//
// SAVES.json: {"devices", "batch", "before": [row], "rounds": [[[row] per device]]}, a row being
// [record, [field], [value]]. Standard input: the name of a way per line; standard output: JSON.
// NODE_PATH does not work for modules, so that this file lies beside its node_modules when it runs.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [engine, file] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(file, "utf8"));
const seconds = (from) => Number(process.hrtime.bigint() - from) / 1e9;
const now = () => process.hrtime.bigint();

function chunks(list, size) {
  const found = [];
  for (let at = 0; at < list.length; at += size) found.push(list.slice(at, at + size));
  return found;
}

async function yjs() {
  const Y = await import("yjs");
  const save = (records, [key, fields, values]) => {
    let record = records.get(key);
    if (record === undefined) {
      record = new Y.Map();
      records.set(key, record);
    }
    for (let at = 0; at < fields.length; at++) record.set(fields[at], values[at]);
  };
  const start = new Y.Doc();
  start.transact(() => plan.before.forEach((row) => save(start.getMap("records"), row)));
  const base = Y.encodeStateAsUpdate(start);
  const docs = [];
  for (let device = 0; device < plan.devices; device++) {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, base);
    const held = { doc, records: doc.getMap("records"), latest: null };
    doc.on("update", (update) => { held.latest = update; });
    docs.push(held);
  }
  const updates = [], merged = [];
  let spent = 0;
  for (const round of plan.rounds) {
    const made = round.map((rows, device) => {
      const { doc, records } = docs[device];
      const from = now();
      const own = rows.map((row) => {
        doc.transact(() => save(records, row));
        return docs[device].latest;
      });
      spent += seconds(from);
      return own;
    });
    made.forEach((own, device) => {
      for (const one of own) updates.push(one);
      for (const chunk of chunks(own, plan.batch)) merged.push(Y.mergeUpdates(chunk));
      docs.forEach(({ doc }, other) => {
        if (other !== device) doc.transact(() => own.forEach((one) => Y.applyUpdate(doc, one)));
      });
    });
  }
  const fresh = () => {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, base);
    return doc;
  };
  return {
    produced: spent,
    bytes: updates.reduce((sum, one) => sum + one.length, 0),
    ways: {
      "one by one": () => {
        const doc = fresh(), from = now();
        for (const one of updates) Y.applyUpdate(doc, one);
        return seconds(from);
      },
      "one by one in one transaction": () => {
        const doc = fresh(), from = now();
        doc.transact(() => updates.forEach((one) => Y.applyUpdate(doc, one)));
        return seconds(from);
      },
      [`merged into updates of ${plan.batch} saves`]: () => {
        const doc = fresh(), from = now();
        for (const one of merged) Y.applyUpdate(doc, one);
        return seconds(from);
      },
    },
  };
}

async function automerge() {
  const A = await import("@automerge/automerge");
  const save = (doc, [key, fields, values]) => {
    if (doc.records[key] === undefined) doc.records[key] = {};
    const record = doc.records[key];
    for (let at = 0; at < fields.length; at++) record[fields[at]] = values[at];
  };
  const start = A.change(A.from({ records: {} }), (doc) => plan.before.forEach((row) => save(doc, row)));
  const base = A.save(start);
  const docs = [];
  for (let device = 0; device < plan.devices; device++) docs.push(A.load(base));
  const updates = [];
  let spent = 0;
  for (const round of plan.rounds) {
    const made = round.map((rows, device) => {
      const from = now();
      const own = rows.map((row) => {
        docs[device] = A.change(docs[device], (doc) => save(doc, row));
        return A.getLastLocalChange(docs[device]);
      });
      spent += seconds(from);
      return own;
    });
    made.forEach((own, device) => {
      for (const one of own) updates.push(one);
      for (let other = 0; other < docs.length; other++) {
        if (other !== device && own.length) docs[other] = A.applyChanges(docs[other], own)[0];
      }
    });
  }
  const joined = new Uint8Array(updates.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const one of updates) { joined.set(one, at); at += one.length; }
  return {
    produced: spent,
    bytes: joined.length,
    ways: {
      "one by one": () => {
        let doc = A.load(base);
        const from = now();
        for (const one of updates) doc = A.applyChanges(doc, [one])[0];
        return seconds(from);
      },
      "applyChanges of all": () => {
        const doc = A.load(base), from = now();
        A.applyChanges(doc, updates);
        return seconds(from);
      },
      "loadIncremental of all": () => {
        const doc = A.load(base), from = now();
        A.loadIncremental(doc, joined);
        return seconds(from);
      },
    },
  };
}

const peer = await { yjs, automerge }[engine]();
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");
say({ produced: peer.produced, bytes: peer.bytes, ways: Object.keys(peer.ways), node: process.version });
for await (const way of createInterface({ input: process.stdin })) {
  if (globalThis.gc) globalThis.gc();
  say({ seconds: peer.ways[way]() });
}
