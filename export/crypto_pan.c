#include "export/crypto_pan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 2 * CRYPTO_PAN_KEY + 2 };

void crypto_pan_init(struct crypto_pan *p, const uint8_t key[CRYPTO_PAN_KEY])
{
    uint8_t id[AES_BLOCK_SIZE] = "yamiscope key id";
    aes128_set_encrypt_key(&p->aes, key);
    aes128_encrypt(&p->aes, AES_BLOCK_SIZE, p->pad, key + AES_BLOCK_SIZE);
    aes128_encrypt(&p->aes, AES_BLOCK_SIZE, id, id);
    for (unsigned i = 0; i < AES_BLOCK_SIZE; i++)
        id[i] ^= p->pad[i];
    aes128_encrypt(&p->aes, AES_BLOCK_SIZE, id, id);
    for (unsigned i = 0; i < CRYPTO_PAN_ID / 2; i++)
        snprintf(p->id + 2 * i, 3, "%02x", id[i]);
}

void crypto_pan_address(const struct crypto_pan *p, uint8_t address[16], unsigned ip_version)
{
    /* Block n: the address's first n bits, then the pad's; the first bit of its cipher flips the address's bit n. */
    uint8_t blocks[128][AES_BLOCK_SIZE];
    unsigned bits = ip_version == 6 ? 128 : 32;
    memcpy(blocks[0], p->pad, AES_BLOCK_SIZE);
    for (unsigned n = 1; n < bits; n++) {
        unsigned at = (n - 1) / 8;
        uint8_t bit = (uint8_t)(0x80 >> (n - 1) % 8);
        memcpy(blocks[n], blocks[n - 1], AES_BLOCK_SIZE);
        blocks[n][at] = (uint8_t)((blocks[n][at] & ~bit) | (address[at] & bit));
    }
    aes128_encrypt(&p->aes, (size_t)bits * AES_BLOCK_SIZE, blocks[0], blocks[0]);
    for (unsigned n = 0; n < bits; n++)
        address[n / 8] ^= (uint8_t)((blocks[n][0] & 0x80) >> n % 8);
}

/* ---- keys ---- */

static int digit_of(char c)
{
    const char *digits = "0123456789abcdef", *at = c == '\0' ? NULL : strchr(digits, c | 0x20);
    return at == NULL ? -1 : (int)(at - digits);
}

static bool hex_parse(const char *text, size_t len, uint8_t key[CRYPTO_PAN_KEY])
{
    while (len > 2 * CRYPTO_PAN_KEY && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (len != 2 * CRYPTO_PAN_KEY)
        return false;
    for (size_t i = 0; i < CRYPTO_PAN_KEY; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        key[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* The file's bytes, at most FILE_MAX + 1. -errno and a fault. */
static ssize_t file_read(const char *path, char text[FILE_MAX + 1], struct fault *fault)
{
    struct stat s;
    ssize_t len = 0, got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &s) < 0) {
        int err = errno;
        if (fd >= 0)
            close(fd);
        return fault_set(fault, err, "%.200s: %s", path, strerror(err));
    }
    if (!S_ISREG(s.st_mode) || (s.st_mode & 077) != 0) {
        close(fd);
        return fault_set(fault, EINVAL,
                         "%.150s: a key must be a file that its owner alone may read (%s)", path,
                         S_ISREG(s.st_mode) ? "chmod 600" : "it is none");
    }
    while (len <= FILE_MAX && got > 0) {
        got = read(fd, text + len, (size_t)(FILE_MAX + 1 - len));
        len += got > 0 ? got : 0;
    }
    int err = errno;
    close(fd);
    return got < 0 ? fault_set(fault, err, "%.200s: %s", path, strerror(err)) : len;
}

int crypto_pan_read(struct crypto_pan *p, const char *path, struct fault *fault)
{
    char text[FILE_MAX + 1];
    uint8_t key[CRYPTO_PAN_KEY];
    ssize_t len = file_read(path, text, fault);
    int err = len < 0 ? (int)len : 0;
    if (err == 0 && len == CRYPTO_PAN_KEY)
        memcpy(key, text, sizeof key);
    else if (err == 0 && !hex_parse(text, (size_t)len, key))
        err =
            fault_set(fault, EINVAL,
                      "%.150s: is no key: 32 bytes, or 64 hex digits (--new-key makes one)", path);
    if (err == 0 && memcmp(key, key + 1, sizeof key - 1) == 0)
        err = fault_set(fault, EINVAL, "%.150s: is no key: all its bytes are alike", path);
    if (err == 0)
        crypto_pan_init(p, key);
    explicit_bzero(text, sizeof text);
    explicit_bzero(key, sizeof key);
    return err;
}

int crypto_pan_new_key(const char *path, struct fault *fault)
{
    uint8_t key[CRYPTO_PAN_KEY];
    char text[2 * CRYPTO_PAN_KEY + 2];
    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
        return fault_set(fault, EIO, "%.200s: no random numbers are to be had", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(fault, errno, "%.200s: %s", path, strerror(errno));
    for (unsigned i = 0; i < CRYPTO_PAN_KEY; i++)
        snprintf(text + 2 * i, 4, "%02x\n", key[i]);
    size_t len = strlen(text);
    errno = EIO;
    int err = write(fd, text, len) != (ssize_t)len || fsync(fd) < 0 ? errno : 0;
    if (close(fd) < 0 && err == 0)
        err = errno;
    explicit_bzero(text, sizeof text);
    explicit_bzero(key, sizeof key);
    if (err == 0)
        return 0;
    unlink(path);
    return fault_set(fault, err, "%.200s: %s", path, strerror(err));
}

void crypto_pan_event_id(const struct crypto_pan *p, uint8_t id[8])
{
    /* An IPv4 address's blocks end with the pad's own bytes: none of them is this one. */
    static const uint8_t word[8] = {'e', 'v', 'e', 'n', 't', ' ', 'i', 'd'};
    uint8_t block[AES_BLOCK_SIZE];
    for (unsigned i = 0; i < 8; i++) {
        block[i] = id[i] ^ p->pad[i];
        block[8 + i] = (uint8_t)(p->pad[8 + i] ^ word[i]);
    }
    aes128_encrypt(&p->aes, AES_BLOCK_SIZE, block, block);
    memcpy(id, block, 8);
}
