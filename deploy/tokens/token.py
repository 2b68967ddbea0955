# A token for one person and one room, good for ten minutes. By hand:
# KLATCH_SECRET=... python3 token.py KEY-ID ROOM SUB NAME [ROLE [NOW]]
import base64, hmac, json, os, sys, time

def klatch_token(key, secret, room, sub, name, role='member', now=None):
    claims = {'iss': key, 'sub': sub, 'room': room, 'name': name, 'role': role, 'exp': int(now or time.time()) + 600}
    encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b'=')
    payload = json.dumps(claims, ensure_ascii=False, separators=(',', ':')).encode()
    text = encode(b'{"alg":"HS256","typ":"JWT"}') + b'.' + encode(payload)
    return (text + b'.' + encode(hmac.digest(secret.encode(), text, 'sha256'))).decode()

if __name__ == '__main__':
    print(klatch_token(sys.argv[1], os.environ['KLATCH_SECRET'], *sys.argv[2:]))
