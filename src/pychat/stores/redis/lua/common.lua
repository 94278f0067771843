-- The start of every script: the keys of a room, and functions for its members. Redis runs a script atomically.
-- KEYS[1] is the prefix of each key; its hash tag keeps the keys of a room on one server.

local call = redis.call
local function key(name) return KEYS[1] .. name end

local META = key('meta')          -- hash: epoch, secret, seq (of the log), tick (of the feed), moderation (version), entries (of the audit log, ever)
local FEED = key('told')          -- stream tick-0: seq, event; what servers read, the newest only (keys keep their first names: Redis has data)
local LOG = key('log')            -- stream seq-0: id, date, event; the stored log
local IDS = key('ids')            -- hash: author and id -> seq
local MESSAGES = key('messages')  -- sorted set: seq of each stored message
local REVISIONS = key('fates')        -- hash: seq of a message -> its revisions, a line each
local MEMBERS = key('members')    -- hash: id -> name, roles if any, the name's keys, its servers, when joined, watcher
local NAMES = key('names')        -- hash: key of a name -> id of its holder
local AWAY = key('away')          -- sorted set: ids of members on no server, by time
local KNOWN = key('known')        -- hash: id -> last name of a member who left
local LEFT = key('left')          -- sorted set: the same ids, by tick
local SERVERS = key('servers')    -- sorted set: server, by the time until which it counts as alive

local READERS = key('readers')    -- set: ids of the members who have a read position in this room
local MENTIONS = key('mentioning')  -- hash: seq of a message -> ids of the members whom it mentions, as it stands
local MENTIONED = key('mentioned')  -- set: ids of all members whom a message mentions or has mentioned
local RECORDS = key('moderation')  -- hash: kind and key of a moderation record -> its data and end
local ENDS = key('moderation:ends') -- sorted set: the same kinds and keys, by the date of the end, if any
local AUDIT = key('audit')        -- list: the newest entries of the audit log, the newest last
local GUESTS = key('guests')      -- hash: server -> its number of guests, if any

local MAX_FEED = 10000
local MAX_KNOWN = 10000

local function on(server) return key('on:' .. server) end  -- set: ids of the members on that server

local function now()
  local time = call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function tick() return tonumber(call('HGET', META, 'tick') or 0) end

-- Whether Redis has lost data that the caller knows: another epoch ("" matches any), or fewer ticks.
local function lost(epoch, known)
  local here = call('HGET', META, 'epoch')
  return epoch ~= '' and here ~= epoch or tick() < tonumber(known)
end

-- The answer of a script to a server that knows data which Redis does not have.
local function gone() return {call('HGET', META, 'deleted') and 'room_deleted' or 'lost'} end

-- The numbers of the messages that mention a member: a sorted set.
local function mentions(id) return key('mentions:' .. id) end

-- Note whom a message mentions, in place of whom it mentioned before.
local function mention(seq, ids)
  local before = call('HGET', MENTIONS, seq)
  for _, id in ipairs(before and cjson.decode(before) or {}) do call('ZREM', mentions(id), seq) end
  if #ids == 0 then
    if before then call('HDEL', MENTIONS, seq) end
    return
  end
  for _, id in ipairs(ids) do
    call('ZADD', mentions(id), seq, seq)
    call('SADD', MENTIONED, id)
  end
  call('HSET', MENTIONS, seq, cjson.encode(ids))
end

local function publish(seq, event)
  local number = call('HINCRBY', META, 'tick', 1)
  call('XADD', FEED, 'MAXLEN', '~', MAX_FEED, number .. '-0', 'seq', seq, 'event', event)
end

-- Set the number of guests on `server`, and publish it if it has changed. `count` is a string.
local function guests(server, count)
  if (call('HGET', GUESTS, server) or '0') == count then return end
  if count == '0' then call('HDEL', GUESTS, server) else call('HSET', GUESTS, server, count) end
  publish('', '{"kind":"guests","server":"' .. server .. '","count":' .. count .. '}')
end

local function find(id)
  local text = call('HGET', MEMBERS, id)
  return text and cjson.decode(text)
end

local function save(id, member) call('HSET', MEMBERS, id, cjson.encode(member)) end

local function taken(id, keys)
  for _, each in ipairs(keys) do
    local holder = call('HGET', NAMES, each)
    if holder and holder ~= id then return true end
  end
  return false
end

local function release_name(id, member)
  for _, each in ipairs(member.keys or {}) do call('HDEL', NAMES, each) end
end

-- Add the member to `server`, under a name whose keys are not `taken`.
local function join(id, name, keys, server, event)
  local member = find(id)
  local roles = cjson.decode(event).member[3]
  local changed = call('ZREM', AWAY, id) == 1 or not member or member.name ~= name
    or cjson.encode(member.roles or {}) ~= cjson.encode(roles or {})
  member = member or {on = {}, joined = tick()}
  release_name(id, member)
  for _, each in ipairs(keys) do call('HSET', NAMES, each, id) end
  member.name, member.roles, member.keys, member.watcher, member.adopted = name, roles, keys, nil, nil
  member.on[server] = true
  save(id, member)
  call('SADD', on(server), id)
  call('HDEL', KNOWN, id)
  call('ZREM', LEFT, id)
  if changed then publish('', event) end
end

-- Remove the member from `server`. If it is on no other server, it is away from then on, and `watcher` must end that:
-- its room, or (`adopted`) its store.
local function disconnect(id, server, watcher, since, adopted)
  call('SREM', on(server), id)
  local member = find(id)
  if not member or not member.on[server] then return end
  member.on[server] = nil
  if not next(member.on) then
    member.watcher, member.adopted = watcher, adopted
    call('ZADD', AWAY, since, id)
    publish('', cjson.encode({kind = 'away', member = {id, member.name, member.roles}}))
  end
  save(id, member)
end

local function leave(id, member)
  release_name(id, member)
  for server in pairs(member.on) do call('SREM', on(server), id) end
  call('HDEL', MEMBERS, id)
  call('ZREM', AWAY, id)
  publish('', cjson.encode({kind = 'left', member = {id, member.name, member.roles}}))
  call('HSET', KNOWN, id, member.name)
  call('ZADD', LEFT, tick(), id)
  while call('ZCARD', LEFT) > MAX_KNOWN do
    call('HDEL', KNOWN, call('ZPOPMIN', LEFT)[1])
  end
end

-- Remove at most `max_events` events from the start of the log: messages beyond `count`, and events older than `oldest`.
local function retain(count, oldest, max_events)
  local excess = count and call('ZCARD', MESSAGES) - count or 0
  if excess <= 0 and not oldest then return end
  for _, entry in ipairs(call('XRANGE', LOG, '-', '+', 'COUNT', max_events)) do
    local seq, id, date = string.sub(entry[1], 1, -3), entry[2][2], tonumber(entry[2][4])
    if excess <= 0 and not (oldest and date < oldest) then return end
    excess = excess - call('ZREM', MESSAGES, seq)
    call('HDEL', REVISIONS, seq)
    mention(seq, {})
    call('HDEL', IDS, id)
    call('XDEL', LOG, entry[1])
  end
end

-- Remove the moderation records that have ended.
local function remove_ended(date)
  for _, field in ipairs(call('ZRANGEBYSCORE', ENDS, '-inf', date)) do
    call('HDEL', RECORDS, field)
    call('ZREM', ENDS, field)
  end
end
