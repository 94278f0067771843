-- Put the copy of a stream in its place, with what was added or removed since.

local epoch, token, stream, target, last = unpack(ARGV)
if lost(epoch, 0) or call('GET', key('erasing')) ~= token then return {'lost'} end
for _, entry in ipairs(call('XRANGE', key(stream), '(' .. last, '+')) do
  call('XADD', key(target), entry[1], unpack(entry[2]))
end
local first = call('XRANGE', key(stream), '-', '+', 'COUNT', 1)[1]
if not first then
  call('UNLINK', key(target))
  return {'ok'}
end
call('XTRIM', key(target), 'MINID', first[1])
call('RENAME', key(target), key(stream))
call('PERSIST', key(stream))
return {'ok'}
