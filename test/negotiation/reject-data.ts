/** A description whose data section is switched off on its way: what each end then sees is that the other one wants no data. */

/** The description with port 0 in its data section, which is in no BUNDLE group any more. */
export function withoutData(sdp: string): string {
  const sections = sdp.split(/^(?=m=)/m);
  const mids = sections.filter((section) => section.startsWith('m=application')).map(midOf);
  return sections
    .map((section) => (section.startsWith('m=application') ? rejected(section) : outOfGroup(section, mids)))
    .join('');
}

function midOf(section: string): string {
  return /^a=mid:(.*?)\r?$/m.exec(section)?.[1] ?? '';
}

function rejected(section: string): string {
  const kept = section.split(/(?<=\n)/).filter((line) => /^(?:m=|c=|a=mid:)/.test(line));
  return kept.join('').replace(/^m=application \d+/, 'm=application 0');
}

function outOfGroup(section: string, mids: readonly string[]): string {
  return section.replace(
    /^(a=group:BUNDLE)(.*?)(\r?)$/m,
    (_line, name: string, list: string, end: string) => {
      const left = list.split(' ').filter((mid) => !mids.includes(mid));
      return name + left.join(' ') + end;
    },
  );
}
