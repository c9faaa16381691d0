import { readFileSync } from 'node:fs';
import { EXIT_CODES } from '#src/cli/exit-codes.js';
import { buildProgram } from '#src/cli/program.js';
import { cliPage } from './cli-page.js';
import { errorsPage } from './errors-page.js';

/** A page of docs/ that is generated from the program. */
export interface GeneratedPage {
  readonly path: URL;
  readonly text: string;
}

/** The pages of docs/ that are generated, as they should be. */
export function generatedPages(): readonly GeneratedPage[] {
  return [
    { path: at('docs/cli.md'), text: cliPage(templateOf('cli.md'), buildProgram(), EXIT_CODES) },
    { path: at('docs/errors.md'), text: errorsPage(templateOf('errors.md')) },
  ];
}

function templateOf(page: string): string {
  return readFileSync(at(`man/${page}.in`), 'utf8');
}

function at(path: string): URL {
  return new URL(`../../${path}`, import.meta.url);
}
