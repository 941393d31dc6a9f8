using System.Diagnostics;
using System.Globalization;

namespace PaDiM.Bench.Images;

/// <summary>
/// Python's Pillow in a process of its own, which decodes a file at full size, resizes it to 256 x 256 and measures the
/// time itself.
/// </summary>
internal sealed class Pillow : IDisposable
{
    private const string Script = """
        import io, sys, time
        from PIL import Image
        Image.MAX_IMAGE_PIXELS = None
        print("ready", flush=True)
        for line in sys.stdin:
            data = open(line.strip(), "rb").read()
            start = time.perf_counter()
            Image.open(io.BytesIO(data)).convert("RGB").resize((256, 256), Image.BILINEAR)
            print(1000 * (time.perf_counter() - start), flush=True)
        """;

    private readonly Process _process;

    private Pillow(Process process) => _process = process;

    /// <summary>Starts Pillow; null if this Python has none.</summary>
    /// <param name="python">The program.</param>
    public static Pillow? TryStart(string python)
    {
        var process = Process.Start(
            new ProcessStartInfo(python, ["-c", Script])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        if (process.StandardOutput.ReadLine() == "ready")
            return new Pillow(process);
        process.Dispose();
        return null;
    }

    /// <summary>Measures a file once, in milliseconds.</summary>
    public double Measure(string path)
    {
        _process.StandardInput.WriteLine(path);
        return double.Parse(_process.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
