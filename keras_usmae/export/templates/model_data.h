/* The model as a constant, for flash. Written by keras_usmae. */
#ifndef USMAE_MODEL_DATA_H
#define USMAE_MODEL_DATA_H

extern const unsigned char g_usmae_model[];
extern const unsigned int g_usmae_model_size;

#endif
