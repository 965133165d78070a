/**
 * Places: where a file can be made wrong by one small change in one line, and how. Found in the syntax tree, so that neither
 * types, texts nor comments are touched.
 *
 *   boundary     <  ↔  <=     >  ↔  >=     Math.min  ↔  Math.max
 *   negation     ===  ↔  !==     if (a)  →  if (!(a))     a ? b : c  →  !(a) ? b : c     !a  →  a
 *   removal      a call, an assignment or a count that is a statement of its own; return;  continue;  break;
 *   constant     7  →  (7 + 1), (7 - 1)     true  ↔  false
 *   arithmetic   +  ↔  -     *  ↔  /     <<  ↔  >>     &  ↔  |     and with =
 *   logic        &&  ↔  ||
 */
import ts from 'typescript';

/** The kinds of change, in the order in which a sample takes its turns. */
export const KINDS = ['boundary', 'negation', 'removal', 'constant', 'arithmetic', 'logic'];

const K = ts.SyntaxKind;

/** Operator → its kind of change and what it becomes. */
const OPERATORS = new Map([
  [K.LessThanToken, ['boundary', '<=']],
  [K.LessThanEqualsToken, ['boundary', '<']],
  [K.GreaterThanToken, ['boundary', '>=']],
  [K.GreaterThanEqualsToken, ['boundary', '>']],
  [K.EqualsEqualsEqualsToken, ['negation', '!==']],
  [K.ExclamationEqualsEqualsToken, ['negation', '===']],
  [K.PlusToken, ['arithmetic', '-']],
  [K.MinusToken, ['arithmetic', '+']],
  [K.AsteriskToken, ['arithmetic', '/']],
  [K.SlashToken, ['arithmetic', '*']],
  [K.LessThanLessThanToken, ['arithmetic', '>>']],
  [K.GreaterThanGreaterThanToken, ['arithmetic', '<<']],
  [K.GreaterThanGreaterThanGreaterThanToken, ['arithmetic', '<<']],
  [K.AmpersandToken, ['arithmetic', '|']],
  [K.BarToken, ['arithmetic', '&']],
  [K.PlusEqualsToken, ['arithmetic', '-=']],
  [K.MinusEqualsToken, ['arithmetic', '+=']],
  [K.AmpersandAmpersandToken, ['logic', '||']],
  [K.BarBarToken, ['logic', '&&']],
]);

/** All places of a file, by line: `{ kind, line, start, end, replacement }`, offsets in `source`. */
export function placesIn(source) {
  const tree = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const places = [];
  function add(kind, node, replacement) {
    const start = node.getStart(tree);
    const end = node.getEnd();
    const { line } = tree.getLineAndCharacterOfPosition(start);
    if (tree.getLineAndCharacterOfPosition(end).line === line)
      places.push({ kind, line: line + 1, start, end, replacement });
  }
  function visit(node) {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    for (const change of changesOf(node, tree)) add(...change);
    ts.forEachChild(node, visit);
  }
  visit(tree);
  return places.sort((a, b) => a.start - b.start);
}

/** What can be done to one node: kind, the node to replace, and by what. */
function changesOf(node, tree) {
  if (ts.isBinaryExpression(node)) return operatorChanges(node);
  if (ts.isIfStatement(node)) return negations(node.expression, tree);
  if (ts.isConditionalExpression(node)) return negations(node.condition, tree);
  if (ts.isPrefixUnaryExpression(node) && node.operator === K.ExclamationToken)
    return [['negation', node, node.operand.getText(tree)]];
  if (ts.isExpressionStatement(node) && isEffect(node.expression)) return [['removal', node, ';']];
  if (isBareJump(node)) return [['removal', node, ';']];
  if (ts.isNumericLiteral(node) || ts.isBigIntLiteral(node)) return constantChanges(node, tree);
  if (node.kind === K.TrueKeyword) return [['constant', node, 'false']];
  if (node.kind === K.FalseKeyword) return [['constant', node, 'true']];
  if (ts.isPropertyAccessExpression(node)) return extremeChanges(node, tree);
  return [];
}

/** Leaves a function or a loop, and takes nothing along. */
function isBareJump(node) {
  if (ts.isReturnStatement(node)) return node.expression === undefined;
  return ts.isContinueStatement(node) || ts.isBreakStatement(node);
}

/** The other end of a range. */
function extremeChanges(node, tree) {
  const other = { 'Math.min': 'Math.max', 'Math.max': 'Math.min' }[node.getText(tree)];
  return other === undefined ? [] : [['boundary', node, other]];
}

function operatorChanges({ left, operatorToken, right }) {
  const change = OPERATORS.get(operatorToken.kind);
  if (change === undefined) return [];
  const [kind, replacement] = change;
  // Joined texts have no difference.
  if (kind === 'arithmetic' && (isText(left) || isText(right))) return [];
  return [[kind, operatorToken, replacement]];
}

/** Comparisons and `!` have a change of their own. */
function negations(condition, tree) {
  const bare = ts.skipParentheses(condition);
  const isComparison =
    ts.isBinaryExpression(bare) && OPERATORS.get(bare.operatorToken.kind)?.[0] === 'negation';
  if (isComparison || (ts.isPrefixUnaryExpression(bare) && bare.operator === K.ExclamationToken)) return [];
  return [['negation', condition, `!(${condition.getText(tree)})`]];
}

function constantChanges(node, tree) {
  // The name of a member is none.
  if (ts.isPropertyAssignment(node.parent) && node.parent.name === node) return [];
  const text = node.getText(tree);
  const one = ts.isBigIntLiteral(node) ? '1n' : '1';
  return [
    ['constant', node, `(${text} + ${one})`],
    ['constant', node, `(${text} - ${one})`],
  ];
}

/** Does something, and is no more than that. */
function isEffect(expression) {
  if (ts.isCallExpression(expression)) return expression.expression.kind !== K.SuperKeyword;
  if (ts.isBinaryExpression(expression)) return ts.isAssignmentOperator(expression.operatorToken.kind);
  return (
    ts.isPostfixUnaryExpression(expression) ||
    ts.isDeleteExpression(expression) ||
    (ts.isPrefixUnaryExpression(expression) &&
      [K.PlusPlusToken, K.MinusMinusToken].includes(expression.operator))
  );
}

function isText(node) {
  if (ts.isParenthesizedExpression(node)) return isText(node.expression);
  if (ts.isBinaryExpression(node)) return isText(node.left) || isText(node.right);
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}
