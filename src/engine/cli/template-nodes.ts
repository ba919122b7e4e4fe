/** What a template is made of, and how Go writes each part back in its messages. */

export interface Pipeline {
  readonly at: number;
  /** Names before `:=` or `=`, with their dollar sign. */
  readonly variables: readonly string[];
  /** `=`: they are there already. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

/** A function, method or value, and its arguments. */
export interface Command {
  readonly at: number;
  readonly words: readonly Operand[];
}

export type Operand = { readonly at: number } & (
  | { readonly kind: 'dot' | 'nil' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'number'; readonly value: number; readonly isFloat: boolean; readonly text: string }
  | { readonly kind: 'string'; readonly value: string; readonly text: string }
  | { readonly kind: 'identifier'; readonly name: string }
  | { readonly kind: 'field'; readonly fields: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly fields: readonly string[] }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline }
  /** Fields of what stands in parentheses. */
  | { readonly kind: 'chain'; readonly of: Operand; readonly fields: readonly string[] }
);

export type Node = { readonly at: number } & (
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | Branch
  | { readonly kind: 'break' | 'continue' }
  | { readonly kind: 'template'; readonly name: string; readonly pipeline: Pipeline | undefined }
);

export interface Branch {
  readonly kind: 'if' | 'with' | 'range';
  readonly at: number;
  readonly pipeline: Pipeline;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

export function pipelineText({ variables, assigns, commands }: Pipeline): string {
  const before = variables.length === 0 ? '' : `${variables.join(', ')} ${assigns ? '=' : ':='} `;
  return before + commands.map(commandText).join(' | ');
}

export function commandText(command: Command): string {
  return command.words.map(operandText).join(' ');
}

export function operandText(operand: Operand): string {
  switch (operand.kind) {
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(operand.value);
    case 'number':
    case 'string':
      return operand.text;
    case 'identifier':
      return operand.name;
    case 'field':
      return operand.fields.map((field) => `.${field}`).join('');
    case 'variable':
      return [operand.name, ...operand.fields].join('.');
    case 'pipeline':
      return `(${pipelineText(operand.pipeline)})`;
    case 'chain':
      return `${operandText(operand.of)}${operand.fields.map((field) => `.${field}`).join('')}`;
  }
}
