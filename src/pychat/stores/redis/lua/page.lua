-- Some records in the order of names, after the name `after`. KEYS[1] is the prefix of all rooms.

local names, after, limit = unpack(ARGV)
local found = call('ZRANGE', KEYS[1] .. names, after == '' and '-' or '(' .. after, '+', 'BYLEX', 'LIMIT', 0, limit)
local records = {}
for _, name in ipairs(found) do table.insert(records, call('HGET', KEYS[1] .. 'rooms', name)) end
return {'ok', records}
