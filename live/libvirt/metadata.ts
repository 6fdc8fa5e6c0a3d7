import { EXIT, ForesizeError } from '../../core/errors.ts';
import { type Assignment, assignmentSchema } from './assignment.ts';

/**
 * The element by which a domain is tagged, as libvirt gives it back:
 *
 *     <foresize:vm xmlns:foresize="https://foresize.dev/xmlns/domain/1" application="shop" user="alice">
 *       <foresize:cpu min="0.5" max="4"/>
 *     </foresize:vm>
 *
 * libvirt has parsed and printed it, so that it is well-formed and needs no more of XML than tags, attributes
 * and the five entities.
 * @throws ForesizeError DOMAIN_BAD_TAG
 */
export function parseMetadata(xml: string, domain: string): Assignment {
  const [root, ...children] = elements(xml);
  if (root?.name !== 'vm') throw badTag(domain, 'the element is not <vm>');
  const fields: Record<string, unknown> = { ...root.attributes };
  for (const { name, attributes } of children) {
    if (name in fields) throw badTag(domain, `${name} is given twice`);
    fields[name] = Object.fromEntries(Object.entries(attributes).map(([key, text]) => [key, toNumber(text)]));
  }
  const result = assignmentSchema.safeParse(fields);
  if (!result.success) {
    throw badTag(
      domain,
      result.error.issues.map((i) => `${i.path.join('.') || 'vm'}: ${i.message}`).join('; '),
    );
  }
  return result.data;
}

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** All start tags in document order, without prefixes and namespace declarations. */
function elements(xml: string): Element[] {
  const found: Element[] = [];
  for (const [, tag = '', rest = ''] of xml
    .replace(/<!--[\s\S]*?-->/g, '')
    .matchAll(/<([^\s/>!?]+)((?:"[^"]*"|'[^']*'|[^"'>])*)>/g)) {
    const attributes: Record<string, string> = {};
    for (const [, key = '', double, single] of rest.matchAll(/([^\s=/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
      if (key !== 'xmlns' && !key.startsWith('xmlns:')) attributes[key] = unescapeXml(double ?? single ?? '');
    }
    found.push({ name: tag.slice(tag.indexOf(':') + 1), attributes });
  }
  return found;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

/** A text that is no number stays one, for the schema to complain of. */
function toNumber(text: string): number | string {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
}

function badTag(domain: string, why: string): ForesizeError {
  return new ForesizeError(
    {
      code: 'DOMAIN_BAD_TAG',
      what: `the Foresize element of the domain's metadata cannot be used: ${why}`,
      where: domain,
      remedy: 'correct it by `virsh metadata`, see docs/live.md; until then the domain is not touched',
    },
    EXIT.usage,
  );
}
