-- Replace the revisions of a message by the result of applying them. Newer ones stay after it.

local seq, before, after = unpack(ARGV)
local revisions = call('HGET', REVISIONS, seq)
if revisions and string.sub(revisions, 1, #before) == before then
  call('HSET', REVISIONS, seq, after .. string.sub(revisions, #before + 1))
end
return {'ok'}
