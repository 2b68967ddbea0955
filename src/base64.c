#include "base64.h"

#include <stdint.h>

void base64_encode(const void *at, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *byte = at;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = (uint32_t)byte[i] << 16;
        if (i + 1 < len) bits |= (uint32_t)byte[i + 1] << 8;
        if (i + 2 < len) bits |= byte[i + 2];
        *out++ = digits[bits >> 18];
        *out++ = digits[bits >> 12 & 63];
        *out++ = i + 1 < len ? digits[bits >> 6 & 63] : '=';
        *out++ = i + 2 < len ? digits[bits & 63] : '=';
    }
    *out = '\0';
}

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool base64url_decode(struct slice text, char *out, size_t *len)
{
    uint32_t bits = 0;
    unsigned held = 0;
    *len = 0;
    if (text.len % 4 == 1) return false;
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.at[i]);
        if (digit < 0) return false;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out[(*len)++] = (char)(uint8_t)(bits >> held);
    }
    return (bits & ((1U << held) - 1)) == 0;
}
