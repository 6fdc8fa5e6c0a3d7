import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../../core/errors.ts';
import { openBundle } from '../../../live/promote/open-bundle.ts';
import { problemOf } from '../../sim/sweep/fixture.ts';
import { CODE, EVIDENCE, type Written, written } from './bundle.ts';

let made: Written;
beforeEach(() => {
  made = written();
});
afterEach(() => made.remove());

const open = (code = CODE) => openBundle(made.folder, code);
const refused = async (code = CODE) => {
  const { code: problem, exitCode } = await problemOf(() => open(code));
  return [problem, exitCode];
};
const files = () =>
  readdirSync(made.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

describe('a bundle', () => {
  it('opens as it was written, also by way of a link to its folder', () => {
    const { id, evidence, config, models, stages } = open();
    expect([id, evidence]).toEqual([made.id, EVIDENCE]);
    expect(config.controller.policy).toBe('ahead');
    expect(models).toEqual([{ format: 'foresize-forecast-model' }]);
    expect(stages.canaryShare).toBe(0.1);
    symlinkSync(made.folder, `${made.folder}-current`);
    expect(openBundle(`${made.folder}-current`, CODE).id).toBe(made.id);
  });

  it('is refused after any change of one byte in any of its files', () => {
    const originals = files().map((file) => ({ file, bytes: readFileSync(file) }));
    expect(originals).toHaveLength(7);
    fc.assert(
      fc.property(
        fc.nat(originals.length - 1),
        fc.nat(1_000_000),
        fc.integer({ min: 1, max: 255 }),
        fc.constantFrom('change', 'insert', 'remove'),
        (which, position, flip, how) => {
          const { file, bytes } = originals[which]!;
          const at = position % bytes.length;
          const changed = Buffer.from(bytes);
          changed[at] = changed[at]! ^ flip;
          const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
          writeFileSync(
            file,
            how === 'change'
              ? changed
              : how === 'insert'
                ? Buffer.concat([head, Buffer.of(flip), tail])
                : Buffer.concat([head, tail.subarray(1)]),
          );
          try {
            expect(() => open()).toThrow(/^BUNDLE_(TAMPERED|INVALID|FILE_MISSING|OTHER_CODE)/);
          } finally {
            writeFileSync(file, bytes);
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(open().id).toBe(made.id);
  });

  it('is refused when a file is missing, another is there, or one is a link', async () => {
    const evidence = join(made.folder, 'evidence.json');
    renameSync(evidence, `${made.folder}.away`);
    expect(await refused()).toEqual(['BUNDLE_FILE_MISSING', EXIT.refused]);
    symlinkSync(`${made.folder}.away`, evidence);
    expect(await refused()).toEqual(['BUNDLE_LINK', EXIT.refused]);
    rmSync(evidence);
    renameSync(`${made.folder}.away`, evidence);
    expect(open().id).toBe(made.id);

    for (const extra of ['notes.txt', 'models/99999.json', '.hidden']) {
      writeFileSync(join(made.folder, extra), '');
      expect(await refused(), extra).toEqual(['BUNDLE_FILE_EXTRA', EXIT.refused]);
      rmSync(join(made.folder, extra));
    }
    mkdirSync(join(made.folder, 'more'));
    expect(await refused()).toEqual(['BUNDLE_FILE_EXTRA', EXIT.refused]);
    rmSync(join(made.folder, 'more'), { recursive: true });

    renameSync(join(made.folder, 'models'), `${made.folder}.models`);
    symlinkSync(`${made.folder}.models`, join(made.folder, 'models'));
    expect(await refused()).toEqual(['BUNDLE_LINK', EXIT.refused]);
  });

  it('is refused when other code made it, with what to do', async () => {
    const { code, exitCode, text } = await problemOf(() => open('0.2.0+000000000000'));
    expect([code, exitCode]).toEqual(['BUNDLE_OTHER_CODE', EXIT.refused]);
    expect(text).toContain(`${CODE}; this is 0.2.0+000000000000`);
    expect(text).toMatch(/remedy: run the scenario again/);
  });

  it('is refused when its files agree with their hashes but not with what they must be', async () => {
    const gate = {
      gate: 'cost',
      what: '',
      unit: '',
      value: 1,
      limit: 0,
      bound: 'at most',
      margin: -1,
      note: '',
    };
    made.replace('gates.json', JSON.stringify([{ ...gate, pass: false }]));
    expect(await refused()).toEqual(['BUNDLE_INVALID', EXIT.refused]);
    made.replace('gates.json', '[]');
    made.replace('config.json', '{"controller":{}}');
    expect(await refused()).toEqual(['BUNDLE_INVALID', EXIT.refused]);
  });

  it('cannot name a file outside of its folder', async () => {
    for (const path of ['../secret.json', '/etc/passwd', 'models/../../secret.json', 'models/..']) {
      made.reseal((m) => ({ ...m, files: [...m.files, { path, bytes: 0, sha256: 'a'.repeat(64) }] }));
      expect(await refused(), path).toEqual(['BUNDLE_INVALID', EXIT.refused]);
      made.remove();
      made = written();
    }
  });

  it('is refused where there is none', async () => {
    expect((await problemOf(() => openBundle('/no/such/bundle', CODE))).code).toBe('BUNDLE_UNREADABLE');
    rmSync(join(made.folder, 'bundle.json'));
    expect(await refused()).toEqual(['BUNDLE_UNREADABLE', EXIT.usage]);
  });
});
