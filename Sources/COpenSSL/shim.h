#pragma once

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

static inline void taoyuan_openssl_free(void *memory) { OPENSSL_free(memory); }

static inline long taoyuan_bio_get_mem_data(BIO *bio, char **data) { return BIO_get_mem_data(bio, data); }
