# A token for one person and one room, good for ten minutes. By hand:
# KLATCH_SECRET=... ruby token.rb KEY-ID ROOM SUB NAME [ROLE [NOW]]
require 'json'
require 'openssl'

def klatch_token(key, secret, room, sub, name, role = 'member', now = Time.now)
  claims = { iss: key, sub: sub, room: room, name: name, role: role, exp: now.to_i + 600 }
  encode = ->(data) { [data].pack('m0').tr('+/', '-_').delete('=') }
  text = "#{encode.('{"alg":"HS256","typ":"JWT"}')}.#{encode.(JSON.generate(claims))}"
  "#{text}.#{encode.(OpenSSL::HMAC.digest('SHA256', secret, text))}"
end

puts klatch_token(ARGV[0], ENV['KLATCH_SECRET'], *ARGV[1..]) if $PROGRAM_NAME == __FILE__
