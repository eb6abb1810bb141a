"""Tables as oscilloscopes and programs write them: names, and functions from traces in V to text."""

import numpy as np

RATE, START = 25e6, -2e-6
TIMES = START + np.arange(400) / RATE
_NOISE = np.random.default_rng(0).standard_normal((2, 400))
VOLTS = 5e-3 * _NOISE + 0.3 * np.exp(-(((np.arange(400) - 150) / 30.0) ** 2)) * np.sin(0.6 * np.arange(400))


def lines(*columns, delimiter=",", formats=("%.9e", "%.6f", "%.6f"), end=""):
    rows = zip(*columns, strict=True)
    return "\n".join(delimiter.join(f % v for f, v in zip(formats, row, strict=False)) + end for row in rows) + "\n"


def keysight():
    return "x-axis,1,2\nsecond,Volt,Volt\n" + lines(TIMES, *VOLTS)


def tektronix_beside():
    settings = [
        "Record Length,4.0e+02",
        "Sample Interval,4.0e-08",
        "Trigger Point,50",
        "Source,CH1",
        "Vertical Units,V",
    ]
    settings += ["Vertical Scale,2.0e-01", "Horizontal Units,s", "Horizontal Scale,1e-6", "Model Number,TDS2024"]
    settings += [","] * (400 - len(settings))
    return "".join(f"{s},,{t:.12f},{v:.6f},\n" for s, t, v in zip(settings, TIMES, VOLTS[0], strict=True))


def tektronix_preamble():
    return (
        "Model,MSO54\nFirmware Version,1.30\n\nWaveform Type,ANALOG,,\nPoint Format,Y,,\nHorizontal Units,s,,\n"
        "Horizontal Scale,1.6e-06,,\nSample Interval,4e-08,,\nRecord Length,400,,\nGating,0.0% to 100.0%,,\n"
        "Vertical Units,V,V,\n\nLabels,,,\nTIME,CH1,CH2\n" + lines(TIMES, *VOLTS)
    )


def rigol_sequence():
    counts = np.arange(400)
    head = f"X,CH1,CH2,Start,Increment,\nSequence,Volt,Volt,{START:.6e},{1 / RATE:.6e}\n"
    return head + lines(counts, *VOLTS, formats=("%d", "%.6e", "%.6e"), end=",,")


def rigol_without_times():
    return f"CH1V,CH2V,t0 = {START:.6e}, tInc = {1 / RATE:.6e},\n" + lines(*VOLTS, formats=("%.6e", "%.6e"), end=",,,")


def siglent():
    head = "Record Length,Analog:400\nSample Interval,Analog:4.0E-08\nVertical Units,CH1:V\nVertical Scale,CH1:0.20\n"
    head += "Vertical Offset,CH1:-0.0\nHorizontal Units,s\nHorizontal Scale,1.0E-06\nModel Number,SDS1104X-E\n"
    return (
        head + "Serial Number,SDS0\nSoftware Version,8.1\n\nSource,CH1,CH2\nSecond,Volt,Volt\n" + lines(TIMES, *VOLTS)
    )


def lecroy():
    head = "LECROYHDO4,51234,Waveform\nSegments,1,SegmentSize,400\nSegment,TrigTime,TimeSinceSegment1\n"
    return head + "#1,22-Sep-2025 14:22:11,0\nTime,Ampl\n" + lines(TIMES, VOLTS[0])


def picoscope_csv():
    head = "Time,Channel A,Channel B\n(us),(mV),(mV)\n\n"
    return head + lines(1e6 * TIMES, *(1e3 * VOLTS), formats=("%.8f", "%.6f", "%.6f"))


def picoscope_tabs():
    head = "Time\tChannel A\tChannel B\n(us)\t(V)\t(mV)\n\n"
    columns = 1e6 * TIMES, VOLTS[0], 1e3 * VOLTS[1]
    return head + lines(*columns, delimiter="\t", formats=("%.8f", "%.8f", "%.6f"))


def yokogawa():
    head = '"Header Size",16\n"Model Name","DL850"\n"BlockNumber",1\n"TraceName","CH1"\n"BlockSize",400\n'
    head += '"VUnit","V"\n"SampleRate",2.5000000E+07\n"HResolution",4.0E-08\n"HOffset",-2.0E-06\n"HUnit","s"\n\n'
    return head + lines(VOLTS[0], formats=("%.6e",))


def hantek():
    return "#CHANNEL:CH1\n#CLOCK=40.0ns\n#SIZE=400\n#UNITS:V\n\n" + lines(VOLTS[0], formats=("%.6e",))


def digilent():
    head = "#Digilent WaveForms Oscilloscope Acquisition\n#Device Name: Discovery2\n#Serial Number: SN:2103\n"
    head += "#Date Time: 2025-09-22 14:22:11.123\n#Sample rate: 25MHz\n#Samples: 400\n#Trigger: Source: Channel 1\n\n"
    return head + "Time (s),Channel 1 (V),Channel 2 (V)\n" + lines(TIMES, *VOLTS)


def gw_instek():
    head = "Format,1.0B\nMemory Length,400\nTrigger Level,1.0E-01\nSource,CH1\nProbe,1.0E+00\nVertical Units,V\n"
    head += "Vertical Scale,2.0E-01\nHorizontal Units,S\nSampling Period,4.0E-08\nFirmware,V1.0\nTime,\n"
    return head + "Waveform Data,\n" + lines(VOLTS[0], formats=("%.6e",), end=",")


def german():
    text = lines(1e6 * TIMES, 1e6 * VOLTS[0], delimiter=";", formats=("%.4f", "%.3f"))

    def thousands(cell):
        whole, _, rest = cell.partition(".")
        return f"{int(whole):,}".replace(",", ".") + "," + rest if abs(float(cell)) >= 1000 else cell.replace(".", ",")

    body = "\n".join(";".join(map(thousands, row.split(";"))) for row in text.splitlines())
    return "Zeit [µs];Kanal A [µV]\n" + body + "\n"


def plain_blanks():
    return "# Time_us  Ch1_V\n" + lines(1e6 * TIMES, VOLTS[0], delimiter="   ", formats=("%12.6f", "%12.6f"))


EXPORTS = {
    "keysight": (keysight, 2),
    "tektronix_beside": (tektronix_beside, 1),
    "tektronix_preamble": (tektronix_preamble, 2),
    "rigol_sequence": (rigol_sequence, 2),
    "rigol_without_times": (rigol_without_times, 2),
    "siglent": (siglent, 2),
    "lecroy": (lecroy, 1),
    "picoscope_csv": (picoscope_csv, 2),
    "picoscope_tabs": (picoscope_tabs, 2),
    "yokogawa": (yokogawa, 1),
    "hantek": (hantek, 1),
    "digilent": (digilent, 2),
    "gw_instek": (gw_instek, 1),
    "german": (german, 1),
    "plain_blanks": (plain_blanks, 1),
}
