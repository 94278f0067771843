-- Remove the read positions of a member: in one room, or in all of them. KEYS[1] is the prefix of all rooms.

local member, room = unpack(ARGV)
local reads = KEYS[1] .. 'reads:' .. member
for _, each in ipairs(room and {room} or call('HKEYS', reads)) do
  call('HDEL', reads, each)
  call('SREM', KEYS[1] .. '{' .. each .. '}:readers', member)
end
if not room then call('DEL', KEYS[1] .. 'blocked:' .. member) end
return {'ok'}
