import { describe, expect, it } from 'vitest';
import { vmSpec } from '../../../live/libvirt/assignment.ts';
import { assignDomains, checkMapping } from '../../../live/libvirt/domains.ts';
import { parseMapping } from '../../../live/libvirt/mapping.ts';
import { parseMetadata } from '../../../live/libvirt/metadata.ts';

const NS = 'xmlns:foresize="https://foresize.dev/xmlns/domain/1"';

function caught(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('metadata', () => {
  it('says who the domain works for, and bounds', () => {
    const xml = `<foresize:vm ${NS} application="shop" user='a&amp;b &#x41;&#66;'>
      <!-- <foresize:cpu min="9"/> -->
      <foresize:cpu min="0.5" max="4"/>
      <foresize:diskIo max="1e6"></foresize:diskIo>
    </foresize:vm>`;
    expect(parseMetadata(xml, 'web')).toEqual({
      application: 'shop',
      user: 'a&b AB',
      cpu: { min: 0.5, max: 4 },
      diskIo: { max: 1e6 },
    });
  });

  it('reads the same without a prefix', () => {
    const xml = `<vm xmlns="https://foresize.dev/xmlns/domain/1" application="shop" user="u > v"/>`;
    expect(parseMetadata(xml, 'web')).toEqual({ application: 'shop', user: 'u > v' });
  });

  it.each([
    ['no user', `<foresize:vm ${NS} application="shop"/>`, 'user'],
    [
      'an unknown resource',
      `<foresize:vm ${NS} application="a" user="b"><foresize:gpu max="1"/></foresize:vm>`,
      'gpu',
    ],
    [
      'no number',
      `<foresize:vm ${NS} application="a" user="b"><foresize:cpu max="two"/></foresize:vm>`,
      'cpu.max',
    ],
    [
      'min above max',
      `<foresize:vm ${NS} application="a" user="b"><foresize:cpu min="3" max="2"/></foresize:vm>`,
      'min is larger',
    ],
    [
      'a resource twice',
      `<foresize:vm ${NS} application="a" user="b"><foresize:cpu max="1"/><foresize:cpu max="2"/></foresize:vm>`,
      'twice',
    ],
    ['another element', `<foresize:host ${NS}/>`, 'not <vm>'],
  ])('%s is a coded error that names the domain', (_, xml, words) => {
    const error = caught(() => parseMetadata(xml, 'web-1'));
    expect(error).toMatchObject({ code: 'DOMAIN_BAD_TAG' });
    expect(error.message).toContain(words);
    expect(error.message).toContain('(web-1)');
  });
});

describe('the mapping file', () => {
  it('lists domains by name or UUID', () => {
    const [web, db] = parseMapping(
      `domains:
  - domain: web
    application: shop
    user: alice
    cpu: { min: 0.5, max: 4 }
  - domain: c90f3eb3-a987-42f8-8190-0d489f1ee52f
    application: shop
    user: bob
`,
      'map.yaml',
    );
    expect(web).toEqual({
      domain: 'web',
      assignment: { application: 'shop', user: 'alice', cpu: { min: 0.5, max: 4 } },
      where: 'map.yaml:2:13',
    });
    expect(db?.where).toBe('map.yaml:6:13');
  });

  it('reports every fault with its line', () => {
    const error = caught(() =>
      parseMapping(
        `domains:
  - domain: web
    application: shop
    cpu: { min: -1 }
  - domain: db
    application: shop
    user: bob
    gpu: 1
`,
        'map.yaml',
      ),
    );
    expect(error).toMatchObject({ code: 'MAPPING_INVALID' });
    expect(error.message).toContain('map.yaml:2:5 domains.0.user');
    expect(error.message).toContain('map.yaml:4:17 domains.0.cpu.min');
    expect(error.message).toContain('map.yaml:8:10 domains.1.gpu');
  });

  it('reports bad YAML and a domain listed twice', () => {
    expect(caught(() => parseMapping('domains: [', 'm.yaml'))).toMatchObject({ code: 'MAPPING_SYNTAX' });
    const twice = caught(() =>
      parseMapping(
        'domains:\n- {domain: a, application: x, user: y}\n- {domain: a, application: x, user: z}\n',
        'm.yaml',
      ),
    );
    expect(twice).toMatchObject({ code: 'MAPPING_DUPLICATE' });
    expect(twice.message).toContain('m.yaml:3:');
  });
});

describe('a VM', () => {
  const limits = { vcpus: 2, maxVcpus: 4, maxMemoryKib: 1024 * 1024 };

  it('has the bounds of its domain if none are given, and leaves disk and network alone', () => {
    expect(vmSpec('web', { application: 'shop', user: 'alice' }, limits)).toEqual({
      vmId: 'web',
      applicationId: 'shop',
      userId: 'alice',
      requested: [2, 1024, 0, 0],
      min: [0.1, 256, 0, 0],
      max: [4, 1024, 0, 0],
    });
  });

  it('takes the bounds that are given as far as the domain goes, and 0 as "leave it alone"', () => {
    const spec = vmSpec(
      'web',
      {
        application: 'a',
        user: 'b',
        cpu: { min: 1, max: 16 },
        memory: { max: 0 },
        network: { min: 10, max: 50 },
      },
      limits,
    );
    expect(spec.max).toEqual([4, 0, 0, 50]);
    expect(spec.min).toEqual([1, 0, 0, 10]);
    expect(spec.requested).toEqual([2, 0, 0, 50]);
  });
});

describe('which domains are managed', () => {
  const domain = (name: string, metadata?: string) => ({
    name,
    uuid: `uuid-${name}`,
    active: true,
    metadata,
  });
  const mapping = parseMapping(
    'domains:\n- {domain: a, application: x, user: y}\n- {domain: uuid-b, application: x, user: z}\n',
    'm.yaml',
  );
  const tag = `<vm ${NS} application="tag" user="t"/>`;

  it('the listed and the tagged; the file wins; a bad tag leaves its domain out', () => {
    const { assigned, problems } = assignDomains(
      [domain('a', tag), domain('b'), domain('c', tag), domain('d'), domain('e', `<vm ${NS}/>`)],
      mapping,
    );
    expect(assigned.map(({ name, assignment }) => [name, assignment.application])).toEqual([
      ['a', 'x'],
      ['b', 'x'],
      ['c', 'tag'],
    ]);
    expect(problems.map(({ code }) => code)).toEqual(['DOMAIN_BAD_TAG']);
  });

  it('an entry for a domain that does not exist is an error with its line', () => {
    checkMapping([domain('a'), domain('b')], mapping);
    const error = caught(() => checkMapping([domain('a')], mapping));
    expect(error).toMatchObject({ code: 'MAPPING_UNKNOWN_DOMAIN' });
    expect(error.message).toContain('m.yaml:3:');
  });
});
