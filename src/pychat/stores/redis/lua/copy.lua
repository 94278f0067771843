-- Copy a part of a stream to `target`, with the texts of some entries replaced: Redis keeps the bytes of an entry that
-- is only removed. The caller must hold the lock `token`.

local epoch, token, stream, target, from, to, texts = unpack(ARGV)
if lost(epoch, 0) or call('GET', key('erasing')) ~= token then return {'lost'} end
call('PEXPIRE', key('erasing'), 60000)
texts = cjson.decode(texts)
for _, entry in ipairs(call('XRANGE', key(stream), from, to)) do
  local fields = entry[2]
  local text = texts[entry[1]]
  for index = 1, text and #fields or 0, 2 do
    if fields[index] == 'event' then fields[index + 1] = text end
  end
  if text then
    table.insert(fields, 'erased')
    table.insert(fields, '1')
  end
  call('XADD', key(target), entry[1], unpack(fields))
end
call('PEXPIRE', key(target), 600000)
return {'ok'}
