-- Store the record of a room. `listed` is "1" if lists show it.

local prefix, name, record, listed = unpack(ARGV)
call('HDEL', META, 'deleted')
call('PERSIST', META)
call('PERSIST', FEED)
call('HSET', prefix .. 'rooms', name, record)
call('ZADD', prefix .. 'rooms:names', 0, name)
call(listed == '1' and 'ZADD' or 'ZREM', prefix .. 'rooms:listed', unpack(listed == '1' and {0, name} or {name}))
return {'ok'}
