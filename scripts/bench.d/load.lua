-- wrk -s load.lua URL -- get FILE | register PLOTS DAY TOKEN | sale FIRST LAST DAY TOKEN | book FIRST LAST

local count = 0
function setup(thread)
    thread:set("number", count)
    count = count + 1
end

local function post(path, token, body)
    local credentials = token and "Authorization: Bearer " .. token .. "\r\n" or ""
    return "POST " .. path .. " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" .. credentials
        .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
end

-- Every path in turn; each thread begins elsewhere.
local function get(arguments)
    local paths = {}
    for line in io.lines(arguments[2]) do paths[#paths + 1] = line end
    local place = number * 7919
    return function()
        place = place + 1
        return "GET " .. paths[place % #paths + 1] .. " HTTP/1.1\r\nHost: localhost\r\n\r\n"
    end
end

local function register(arguments)
    local plots, day, token = tonumber(arguments[2]), arguments[3], arguments[4]
    return function()
        return post("/api/v1/batches", token, string.format(
            '{"plot":"%d","variety":"瑞蟠21号","grade":"特级","harvestedOn":"%s","weight":{"grams":%d}}',
            math.random(plots), day, 1000 * math.random(1000)))
    end
end

local function sale(arguments)
    local first, last, day, token = tonumber(arguments[2]), tonumber(arguments[3]), arguments[4], arguments[5]
    return function()
        return post("/api/v1/sales", token, string.format(
            '{"soldOn":"%s","channel":"批发","buyer":"红旗农贸批发","lines":[{"batch":%d,"weight":{"grams":500},'
            .. '"price":{"fen":850,"per":"jin"}}]}', day, math.random(first, last)))
    end
end

-- Each booking by a phone of its own: of one phone few may be open.
local function book(arguments)
    local first, last = tonumber(arguments[2]), tonumber(arguments[3])
    local phone = os.time() % 100000 * 10000
    return function()
        phone = phone + 1
        return post("/api/v1/tours/bookings", nil, string.format(
            '{"unit":"区委党校主体班","unitKind":"party_school","headcount":1,"leader":"韩老师","phone":"1%d%09d",'
            .. '"sessions":[%d]}', 3 + number % 7, phone % 1000000000, math.random(first, last)))
    end
end

function init(arguments)
    math.randomseed(os.time() + number)
    request = ({ get = get, register = register, sale = sale, book = book })[arguments[1]](arguments)
end

function done(summary)
    local e = summary.errors
    io.write(string.format("RESULT %d %d %d\n", summary.requests, summary.duration,
        e.connect + e.read + e.write + e.status + e.timeout))
end
