// One page is both: what people see, and with `?member` a frame in it that only takes part.
if (new URLSearchParams(location.search).has('member')) (await import('./member.ts')).runMember()
else (await import('./main.ts')).runPage()
