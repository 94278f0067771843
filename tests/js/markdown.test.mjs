import assert from "node:assert/strict";
import { Session } from "node:inspector/promises";
import test from "node:test";
import { setFlagsFromString } from "node:v8";
import { parse } from "../../src/pychat/assets/js/writing/markdown.js";

const TAGS = { strong: "b", em: "i", strike: "s", quote: "quote", code: "code", fence: "pre", mention: "at", link: "a", list: "ul" };

/** The tree as a short text; a plain one is the text itself. */
function told(node) {
  const { type, children = [] } = node;
  if (type === "text") return node.text;
  if (type === "paragraph") return children.map(told).join("");
  const tag = type === "list" && node.ordered ? "ol" : TAGS[type];
  const attribute = type === "link" ? `=${node.href}` : type === "fence" && node.language ? `=${node.language}` : "";
  const inner = node.items ? node.items.map((item) => `<li${item.value === undefined ? "" : `=${item.value}`}>${item.children.map(told).join("|")}</li>`).join("") : (node.text ?? children.map(told).join(type === "quote" ? "|" : ""));
  return `<${tag}${attribute}>${inner}</${tag}>`;
}
const show = (text, options) => parse(text, options).map(told).join("|");

test("what people write without markup in mind stays as they wrote it", () => {
  const plain = [
    "2*3*4 and 2 * 3 * 4, a*b, 5**2**3",
    "snake_case_name, __init__.py, some_file_ and _x",
    ":-) :_( *_* -_- hi -_- ^_^ ok ^_^ >_< >:( T_T o_O =_= ._. hm ._.",
    "¯\\_(ツ)_/¯",
    "C:\\dir\\file 100% ~5 ~~ a~b~c *args, **kwargs",
    "int *p, *q; rm *.o",
    "- one dash is a sentence",
    "2026. What a year",
    ">5 people, >>> print(1)",
    "# no heading, | no | table |",
    "[x] done, arr[0](1), [text](javascript:alert(1)), [a](data:x), [ ](x) [](x)",
    "*not closed, **nor this, `nor this, ~~nor this",
    "****, ***, **, *, ``, ___ and ** spaces **",
    "a@b.com file.py node.js main.rs e.g. i.e. U.S. Hello.It is end.So what 1.2.3 v1.0",
    "two\n\n\nparagraphs  and   spaces\n  indented",
    "",
  ];
  for (const text of plain) assert.equal(show(text), text);
});

test("what looks like markup is markup", () => {
  const cases = {
    "**bold** *it* _it_ ~~gone~~ `co*de*`": "<b>bold</b> <i>it</i> <i>it</i> <s>gone</s> <code>co*de*</code>",
    "***both*** **a *b* c** *a **b** c* **_x_**!": "<b><i>both</i></b> <b>a <i>b</i> c</b> <i>a <b>b</b> c</i> <b><i>x</i></b>!",
    "(**a**), “*b*”, **c**: ~~d~~?": "(<b>a</b>), “<i>b</i>”, <b>c</b>: <s>d</s>?",
    "_snake_case_ here": "<i>snake_case</i> here",
    "这是**粗体**文字、🎉**x**🎉": "这是<b>粗体</b>文字、🎉<b>x</b>🎉",
    "*a\nb*": "<i>a\nb</i>",
    "2 *3 and *four*": "2 *3 and <i>four</i>",
    "*a **b* c**": "<i>a **b</i> c**",
    "``a ` b`` `` ` ``": "<code>a ` b</code> <code>`</code>",
    "\\*not\\* \\`this\\`": "*not* `this`",
    "[the *docs*](https://a.test/b_(c)?d=1) [mail](mailto:a@b.test)": "<a=https://a.test/b_(c)?d=1>the <i>docs</i></a> <a=mailto:a@b.test>mail</a>",
    "*see [x](http://a.test)*": "<i>see <a=http://a.test/>x</a></i>",
    "[*a](http://a.test) b*": "<a=http://a.test/>*a</a> b*",
    "**https://a.test/b_c_d** (http://a.test/*x*)": "<b><a=https://a.test/b_c_d>https://a.test/b_c_d</a></b> (<a=http://a.test/*x>http://a.test/*x</a>*)",
    "example.com, www.foo.sh (sub.example.co.uk/a?b) münchen.de:8080/x!": "<a=https://example.com/>example.com</a>, <a=https://www.foo.sh/>www.foo.sh</a> (<a=https://sub.example.co.uk/a?b>sub.example.co.uk/a?b</a>) <a=https://xn--mnchen-3ya.de:8080/x>münchen.de:8080/x</a>!",
    "> said\n> - a\n> - b\nanswer": "<quote>said|<ul><li>a</li><li>b</li></ul></quote>|answer",
    "- a\n  - b\n- - c": "<ul><li>a|<ul><li>b</li></ul></li><li><ul><li>c</li></ul></li></ul>",
    "> > deep\n> less": "<quote><quote>deep</quote>|less</quote>",
    "buy:\n\n- milk\n- *eggs*\n  - six\n  - big\n\nthanks": "buy:|<ul><li>milk</li><li><i>eggs</i>|<ul><li>six</li><li>big</li></ul></li></ul>|thanks",
    "3. c\n4. d": "<ol><li=3>c</li><li=4>d</li></ol>",
    "see\n```js\nconst a = `b`;\n\n  *x*\n```\nok": "see|<pre=js>const a = `b`;\n\n  *x*</pre>|ok",
    "```\nnever closed": "<pre>never closed</pre>",
    "```a b\nc```": "<pre>a b\nc</pre>",
    "```x```": "<code>x</code>",
    "``` is a fence": "``` is a fence",
    "```": "```",
  };
  for (const [text, wanted] of Object.entries(cases)) assert.equal(show(text), wanted);
});

test("a link says where it leads, or is none", () => {
  assert.equal(show("[https://bank.test](https://evil.test)"), "[<a=https://bank.test/>https://bank.test</a>](<a=https://evil.test/>https://evil.test</a>)");
  assert.equal(show("[bank.com](https://evil.test/)"), "[<a=https://bank.com/>bank.com</a>](<a=https://evil.test/>https://evil.test/</a>)");
  for (const label of ["*bank*.com", "`bank.com`", "bank\u200b.com", "bank\\_1.bank.com", "bank。com", "bank․com", "ｂａｎｋ．ｃｏｍ", "me@bank.com", "ba\u0337nk.com", "**www**.bank.test/x"]) {
    assert.match(show(`[${label}](https://evil.test/)`), /^\[.*\(<a=https:\/\/evil.test\/>https:\/\/evil.test\/<\/a>\)$/u, label);
  }
  assert.equal(show("[*the* bank, 3.5 e.g. main.rs](https://a.test/)"), "<a=https://a.test/><i>the</i> bank, 3.5 e.g. main.rs</a>");
  for (const target of ["javascript:x", "JaVaScRiPt:x", "vbscript:x", "data:text/html,x", "file:///x", "//a.test", "/x", "https://u:p@a.test", "blob:x", "\u0001javascript:x"]) {
    assert.ok(!show(`[x](${target})`).includes("<a=" ), target);
  }
});

test("mentions are marked wherever they stand but in code, and their names are no markup", () => {
  const names = ["Ada", "_ben_", "a*b"];
  assert.equal(show("@Ada **@ada** `@Ada` @_ben_ @a*b*", { names }), "<at>@Ada</at> <b><at>@ada</at></b> <code>@Ada</code> <at>@_ben_</at> <at>@a*b</at>*");
});

test("a room without Markdown has links and mentions", () => {
  assert.equal(show("**@Ada** `x`\n> https://a.test", { names: ["Ada"], plain: true }), "**<at>@Ada</at>** `x`\n> <a=https://a.test/>https://a.test</a>");
});

const HOSTILE = {
  stars: (n) => "*".repeat(n),
  "stars and words": (n) => "*a ".repeat(n) + "a* ".repeat(n),
  "bold and not": (n) => "**a *b ".repeat(n) + "b** ".repeat(n),
  "all marks": (n) => "*a _b ~~c **d ".repeat(n) + "e* f_ g~~ h** ".repeat(n),
  "marks of marks": (n) => "*_".repeat(n),
  brackets: (n) => "[".repeat(n),
  "closed brackets": (n) => "[a".repeat(n) + "](b".repeat(n),
  "targets": (n) => "[a](b(c".repeat(n),
  "labels like addresses": (n) => "[".repeat(n) + "*a*.com" + "](http://a.test)".repeat(n),
  "links in links": (n) => "[".repeat(n) + "a" + "](http://a.test)".repeat(n),
  "emphasis over brackets": (n) => "*[a* ".repeat(n) + "]".repeat(n),
  backticks: (n) => "`".repeat(n),
  "backticks of each length": (n) => Array.from({ length: Math.sqrt(n) }, (_, i) => "`".repeat(i)).join(" "),
  quotes: (n) => "> ".repeat(n),
  "lines of quotes": (n) => "> > > > > > a\n".repeat(n),
  fences: (n) => "```\n".repeat(n),
  "fences with words": (n) => "``` a b\n".repeat(n),
  dashes: (n) => "- ".repeat(n),
  "lists of one": (n) => "- a\n1. b\n".repeat(n),
  "deep lists": (n) => Array.from({ length: Math.sqrt(n) }, (_, i) => `${" ".repeat(i * 2)}- a`).join("\n"),
  "indented lines": (n) => `- a\n${"  b\n".repeat(n)}`,
  domains: (n) => "a.".repeat(n),
  "long domains": (n) => "a".repeat(n),
  "closing brackets of addresses": (n) => `http://a${")".repeat(n)}`,
  addresses: (n) => "http://".repeat(n),
  escapes: (n) => "\\*".repeat(n),
};

test("no text takes more steps than its length allows", async () => {
  // Optimized code counts less than it does.
  setFlagsFromString("--no-opt");
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  /** How often the blocks of the parser's modules ran. */
  async function steps(text) {
    await session.post("Profiler.takePreciseCoverage");
    parse(text, { names: ["Ada"] });
    const { result } = await session.post("Profiler.takePreciseCoverage");
    const ours = result.filter(({ url }) => /\/(markdown|inline|links|mentions)\.js$/.test(url));
    return ours.flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges)).reduce((sum, { count }) => sum + count, 0);
  }
  for (const [name, make] of Object.entries(HOSTILE)) {
    const [once, twice] = [await steps(make(2000)), await steps(make(4000))];
    assert.ok(twice < 2.1 * once + 200, `${name}: ${once} steps, then ${twice}`);
  }
});

test("no text makes a deep tree", () => {
  const depth = ({ children = [], items = [] }) => 1 + Math.max(0, ...[...children, ...items.flatMap((item) => item.children)].map(depth));
  for (const [name, make] of Object.entries(HOSTILE)) {
    const deepest = Math.max(0, ...parse(make(300)).map(depth));
    assert.ok(deepest <= 12, `${name}: ${deepest}`);
  }
});
