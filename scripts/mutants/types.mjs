/**
 * The type checker's opinion of a change, so that a sample need not ask the tests about what would not compile. One language
 * service for all files: it reads the project once, and after that only what a change touches.
 */
import { join } from 'node:path';
import ts from 'typescript';
import { root } from './copy.mjs';

/** A function that tells whether `file`, a path from the root, has no type error with `source` as its text. */
export function typeChecker() {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.node.json'), ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent({ ...config, include: ['src'] }, ts.sys, root);
  const changed = { path: '', text: '', version: 0 };
  const text = (path) => (path === changed.path ? changed.text : ts.sys.readFile(path));
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => fileNames,
    getScriptVersion: (path) => (path === changed.path ? String(changed.version) : '0'),
    getScriptSnapshot: (path) => {
      const content = text(path);
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  });
  return (file, source) => {
    changed.path = join(root, file);
    changed.text = source;
    changed.version++;
    return service.getSemanticDiagnostics(changed.path).length === 0;
  };
}
