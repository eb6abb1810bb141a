/* The golden signals through the model, as a sketch. Put your ADC in their place. */
#include <TensorFlowLite.h> /* the library of TFLM that you have installed: its header comes first */

#include <usmae.h>

#include <golden_vectors.h>

static usmae_pick_t picks[16];

void setup() {
  Serial.begin(115200);
  const int status = usmae_setup();
  Serial.print("set-up: ");
  Serial.println(status);
  Serial.print("arena bytes: ");
  Serial.println(static_cast<unsigned long>(usmae_arena_bytes()));
}

void loop() {
  for (int i = 0; i < USMAE_GOLDEN_COUNT; ++i) {
    size_t count = 0;
    const unsigned long start = micros();
    const int status = usmae_pick(usmae_golden_signal[i], picks, 16, &count);
    const unsigned long end = micros();
    Serial.print("status ");
    Serial.print(status);
    Serial.print(", microseconds ");
    Serial.println(end - start);
    for (size_t j = 0; j < count; ++j) {
      Serial.println(picks[j].onset_samples * USMAE_MICROSECONDS_PER_SAMPLE, 3);
    }
  }
  delay(1000);
}
