import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, serverOf } from './fixture.ts';

interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  security?: object[];
  parameters?: { name: string; in: string; required?: boolean; schema: object }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { description: string; content: Record<string, { schema: object }> }>;
}
interface Document {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { securitySchemes: Record<string, object> };
}

let fixture: Fixture;
let document: Document;
beforeAll(async () => {
  fixture = await serverOf();
  document = (await fixture.app.inject({ url: '/api/v1/openapi.json' })).json();
});
afterAll(() => fixture.app.close());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );

/** `METHOD path` of each route in the tree that fastify prints. */
function routesOf(tree: string): string[] {
  const parents: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent, part, methods] = /^([│ ]*)[├└]── (\S*)(?: \((.*)\))?$/.exec(line) ?? [];
    if (indent === undefined || part === undefined) return [];
    const depth = indent.length / 4;
    parents.length = depth;
    const path = `${parents.join('')}${part}`.replace(/^\/(?=\/)/, '');
    parents[depth] = part;
    return methods?.split(', ').map((method) => `${method} ${path}`) ?? [];
  });
}

describe('the OpenAPI document', () => {
  it('has every route of the API, and no other', () => {
    const mounted = routesOf(fixture.app.printRoutes({ commonPrefix: false }))
      .filter((route) => /^(GET|PUT|POST|DELETE) \/api\/v1\//.test(route) && !route.endsWith('openapi.json'))
      .map((route) => route.replace(/:(\w+)/g, '{$1}'))
      .sort();
    expect(mounted).toHaveLength(23);
    expect(
      operations()
        .map(({ path, method }) => `${method.toUpperCase()} ${path}`)
        .sort(),
    ).toEqual(mounted);
  });
  it('names each operation once, with what it takes and what comes of it', () => {
    expect(document.openapi).toBe('3.1.0');
    const ids = operations().map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const {
      path,
      parameters = [],
      responses,
      summary,
      tags,
      security,
      method,
      operationId,
    } of operations()) {
      expect(summary, operationId).not.toBe('');
      expect(tags, operationId).toHaveLength(1);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = parameters.filter((p) => p.in === 'path');
      expect(declared.map(({ name }) => name).sort(), operationId).toEqual(inPath.sort());
      expect(
        declared.every(({ required }) => required),
        operationId,
      ).toBe(true);
      expect(Object.keys(responses), operationId).toContain('200');
      expect(security !== undefined, operationId).toBe(method !== 'get');
    }
  });
  it('holds schemas that are valid JSON Schema 2020-12, and answers that follow them', async () => {
    const ajv = new Ajv2020({ strict: false, validateSchema: true });
    for (const { path, method, parameters = [], requestBody, responses } of operations()) {
      for (const { schema } of parameters) ajv.compile(schema);
      for (const { schema } of Object.values(requestBody?.content ?? {})) ajv.compile(schema);
      for (const { content } of Object.values(responses)) {
        for (const { schema } of Object.values(content)) ajv.compile(schema);
      }
      const schema = responses['200']!.content['application/json']?.schema;
      if (method !== 'get' || !schema) continue;
      const url = path
        .replace('{vmId}', fixture.operations.controller.fleet.specs[0]!.vmId)
        .replace('{applicationId}', 'shop')
        .replace('{resource}', 'cpu');
      const holds = ajv.compile(schema);
      expect(
        holds((await fixture.app.inject({ url })).json()),
        `${url} ${ajv.errorsText(holds.errors)}`,
      ).toBe(true);
    }
  });
  it('says how to bring the token', () => {
    expect(document.components.securitySchemes).toEqual({ token: { type: 'http', scheme: 'bearer' } });
  });
});
