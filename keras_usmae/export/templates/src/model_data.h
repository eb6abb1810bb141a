/* The model as a constant, for flash. Written by keras_usmae. */
#ifndef USMAE_MODEL_DATA_H
#define USMAE_MODEL_DATA_H

#include <stdint.h>

extern const unsigned char g_usmae_model[];
extern const unsigned int g_usmae_model_size;
extern const uint32_t g_usmae_model_hash; /* USMAE_MODEL_HASH of the config.h that belongs to it */

#endif
