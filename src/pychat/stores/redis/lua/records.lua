-- The moderation records of a room that have not ended, and their version.

local date = ARGV[1]
remove_ended(date)
return {'ok', tonumber(call('HGET', META, 'moderation') or 0), call('HGETALL', RECORDS)}
