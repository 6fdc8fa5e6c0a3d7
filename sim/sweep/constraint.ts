import { DURATION, parseDuration } from '../../core/duration.ts';
import { ForesizeError } from '../../core/errors.ts';
import type { Axis } from './axis.ts';
import { getField } from './fields.ts';

type Value = number | string | boolean;
/** Finds the value of a name: an axis, or a dotted path of the scenario; undefined when there is none. */
export type Lookup = (name: string) => unknown;
export type Constraint = (lookup: Lookup) => boolean;

const TOKEN =
  /\s*(?:(<=|>=|==|!=|[<>+*/()]|-(?![\w.])|-)|(\d+(?:\.\d+)?(?:e[+-]?\d+)?(?:(?:ms|w|d|h|m|s)(?:\d+(?:\.\d+)?(?:ms|w|d|h|m|s))*)?)(?![\w.])|('[^']*'|"[^"]*")|([A-Za-z_][\w-]*(?:\.[\w-]+)*))/y;

/**
 * Compiles a condition on a point, such as `policies.t.down < policies.t.up and horizon * 5m <= 2h`:
 *
 *     or   <- and ("or" and)*          and  <- not ("and" not)*          not <- "not" not | comparison
 *     comparison <- sum (("<" | "<=" | ">" | ">=" | "==" | "!=") sum)?
 *     sum  <- product (("+" | "-") product)*                   product <- unary (("*" | "/") unary)*
 *     unary <- "-" unary | number | duration | 'text' | name | "(" or ")"
 *
 * A dash within a name belongs to it; a minus stands apart. Durations count in ms.
 * @param where place to name in errors
 * @throws ForesizeError SWEEP_CONSTRAINT; when evaluated, the same for a name that nothing has
 */
export function compileConstraint(text: string, where: string): Constraint {
  const parser = new Parser(text, where);
  const evaluate = parser.or();
  parser.end();
  return (lookup) => {
    const value = evaluate(lookup);
    if (typeof value !== 'boolean') throw parser.error(`'${text}' is ${value}, not true or false`);
    return value;
  };
}

type Node = (lookup: Lookup) => Value;

class Parser {
  readonly #tokens: string[] = [];
  readonly #where: string;
  readonly #text: string;
  #at = 0;

  constructor(text: string, where: string) {
    this.#text = text;
    this.#where = where;
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const from = TOKEN.lastIndex;
      const match = TOKEN.exec(text);
      if (!match) throw this.error(`'${text.slice(from).trim()}' is no part of a condition`);
      this.#tokens.push(match[0].trim());
    }
  }

  error(what: string): ForesizeError {
    return new ForesizeError({
      code: 'SWEEP_CONSTRAINT',
      what,
      where: this.#where,
      remedy: 'compare axes or fields of the scenario, for example: policies.t.down < policies.t.up',
    });
  }

  end(): void {
    const token = this.#tokens[this.#at];
    if (token !== undefined) throw this.error(`'${token}' is not expected in '${this.#text}'`);
  }

  or(): Node {
    return this.#chain(['or'], () => this.#and(), {
      or: (a, b) => (lookup) => this.#boolean(a(lookup)) || this.#boolean(b(lookup)),
    });
  }

  #and(): Node {
    return this.#chain(['and'], () => this.#not(), {
      and: (a, b) => (lookup) => this.#boolean(a(lookup)) && this.#boolean(b(lookup)),
    });
  }

  #not(): Node {
    if (!this.#take('not')) return this.#comparison();
    const inner = this.#not();
    return (lookup) => !this.#boolean(inner(lookup));
  }

  #comparison(): Node {
    const left = this.#sum();
    const operator = ['<', '<=', '>', '>=', '==', '!='].find((symbol) => this.#take(symbol));
    if (operator === undefined) return left;
    const right = this.#sum();
    return (lookup) => {
      const a = left(lookup);
      const b = right(lookup);
      if (operator === '==') return a === b;
      if (operator === '!=') return a !== b;
      if (typeof a !== typeof b || typeof a === 'boolean') {
        throw this.error(`${a} and ${b} cannot be ordered in '${this.#text}'`);
      }
      return operator === '<' ? a < b : operator === '<=' ? a <= b : operator === '>' ? a > b : a >= b;
    };
  }

  #sum(): Node {
    return this.#chain(['+', '-'], () => this.#product(), {
      '+': (a, b) => (lookup) => this.#number(a(lookup)) + this.#number(b(lookup)),
      '-': (a, b) => (lookup) => this.#number(a(lookup)) - this.#number(b(lookup)),
    });
  }

  #product(): Node {
    return this.#chain(['*', '/'], () => this.#unary(), {
      '*': (a, b) => (lookup) => this.#number(a(lookup)) * this.#number(b(lookup)),
      '/': (a, b) => (lookup) => this.#number(a(lookup)) / this.#number(b(lookup)),
    });
  }

  #unary(): Node {
    if (this.#take('-')) {
      const inner = this.#unary();
      return (lookup) => -this.#number(inner(lookup));
    }
    if (this.#take('(')) {
      const inner = this.or();
      if (!this.#take(')')) throw this.error(`a bracket is not closed in '${this.#text}'`);
      return inner;
    }
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw this.error(`'${this.#text}' ends too soon`);
    if (/^['"]/.test(token)) return constant(plain(token.slice(1, -1)));
    if (/^\d/.test(token)) return constant(DURATION.test(token) ? parseDuration(token) : Number(token));
    if (token === 'true' || token === 'false') return constant(token === 'true');
    if (!/^[A-Za-z_]/.test(token)) throw this.error(`'${token}' is not expected in '${this.#text}'`);
    return (lookup) => {
      const value = lookup(token);
      if (typeof value === 'number' || typeof value === 'boolean') return value;
      if (typeof value === 'string') return plain(value);
      throw this.error(
        value === undefined
          ? `nothing is named '${token}': neither an axis nor a field the scenario's file or 'set' has`
          : `'${token}' is not a single value`,
      );
    };
  }

  #chain(
    symbols: readonly string[],
    operand: () => Node,
    combine: Readonly<Record<string, (a: Node, b: Node) => Node>>,
  ): Node {
    let left = operand();
    for (;;) {
      const symbol = symbols.find((s) => this.#take(s));
      if (symbol === undefined) return left;
      left = combine[symbol]!(left, operand());
    }
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #number(value: Value): number {
    if (typeof value === 'number') return value;
    throw this.error(`${value} is not a number in '${this.#text}'`);
  }

  #boolean(value: Value): boolean {
    if (typeof value === 'boolean') return value;
    throw this.error(`${value} is not true or false in '${this.#text}'`);
  }
}

/** Names of a point: its axes, their fields and what lies below them, else what the scenario's file says. */
export function lookupIn(
  axes: readonly Pick<Axis, 'name' | 'fields'>[],
  values: readonly unknown[],
  base: Lookup,
): Lookup {
  return (name) => {
    for (const [i, axis] of axes.entries()) {
      if (axis.name === name) return values[i];
      for (const path of axis.fields) {
        if (path === name) return values[i];
        if (name.startsWith(`${path}.`)) return getField(values[i], name.slice(path.length + 1));
      }
    }
    return base(name);
  };
}

function constant(value: Value): Node {
  return () => value;
}

/** A duration as ms, any other text as it is. */
function plain(text: string): Value {
  return DURATION.test(text) ? parseDuration(text) : text;
}
