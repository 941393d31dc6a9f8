using System.Diagnostics;
using System.Globalization;
using PaDiM.Core.Persistence;
using PaDiM.Imaging.Decoding;
using SharpFuzz;

namespace PaDiM.Fuzz;

/// <summary>
/// Damages files at random and reads them until the time is up: <c>images|models CORPUS SEED SECONDS KEEP</c>; or reads
/// input from afl-fuzz: <c>images|models guided</c>.
/// </summary>
internal static class Program
{
    /// <summary>
    /// The time limit of the decoder for any image. Time between two checks of the clock comes on top.
    /// </summary>
    private static readonly TimeSpan ImageTimeLimit = TimeSpan.FromSeconds(2);

    private static readonly ImageDecoder Decoder = new(maxPixels: 4 << 20, ImageTimeLimit);

    public static int Main(string[] args)
    {
        if (args is [var guided, "guided"] && FindTarget(guided) is { } readGuided)
        {
            // In a separate process, so a crash in a native library is a finding and does not end the run.
            Fuzzer.OutOfProcess.Run(stream => readGuided(ReadAll(stream)));
            return 0;
        }
        if (
            args is not [var target, var corpus, var seedText, var secondsText, var keep]
            || !int.TryParse(seedText, CultureInfo.InvariantCulture, out var seed)
            || !int.TryParse(secondsText, CultureInfo.InvariantCulture, out var seconds)
            || FindTarget(target) is not { } read
        )
        {
            Console.Error.WriteLine(
                "PaDiM.Fuzz images|models CORPUS SEED SECONDS KEEP\n"
                    + "PaDiM.Fuzz images|models guided (started by afl-fuzz: guided.sh)"
            );
            return 2;
        }
        byte[][] files =
        [
            .. Directory
                .GetFiles(corpus)
                .Where(file => Path.GetExtension(file) is not (".rgb" or ".json"))
                .Order(StringComparer.Ordinal)
                .Select(File.ReadAllBytes),
        ];
        var mutator = new Mutator(files, new Random(seed));
        var clock = Stopwatch.StartNew();
        var lastReport = TimeSpan.Zero;
        var slowest = TimeSpan.Zero;
        var inputs = 0L;
        var accepted = 0L;
        // Written before it is read, so an input that crashes or hangs the process is kept.
        var current = Path.Combine(keep, "input.bin");
        while (clock.Elapsed < TimeSpan.FromSeconds(seconds))
        {
            var input = mutator.Next();
            File.WriteAllBytes(current, input);
            var start = Stopwatch.GetTimestamp();
            if (read(input))
                accepted++;
            var taken = Stopwatch.GetElapsedTime(start);
            inputs++;
            if (taken > slowest)
            {
                slowest = taken;
                File.WriteAllBytes(Path.Combine(keep, "slowest.bin"), input);
            }
            if (clock.Elapsed - lastReport < TimeSpan.FromSeconds(1))
                continue;
            lastReport = clock.Elapsed;
            PrintProgress();
        }
        PrintProgress();
        File.Delete(current);
        return 0;

        void PrintProgress()
        {
            using var process = Process.GetCurrentProcess();
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{inputs} inputs, {accepted} accepted, slowest {slowest.TotalMilliseconds:f0} ms, "
                        + $"peak {process.PeakWorkingSet64 >> 20} MiB"
                )
            );
        }
    }

    /// <summary>
    /// Finds the function that reads an input and returns whether it was accepted. Any other outcome than a refusal
    /// ends the process.
    /// </summary>
    private static Func<byte[], bool>? FindTarget(string target) =>
        target switch
        {
            "images" => bytes => Decoder.Decode(bytes) is DecodeResult.Decoded,
            "models" => ReadModel,
            _ => null,
        };

    private static byte[] ReadAll(Stream stream)
    {
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>Reads a model without checking its checksum, which would reject almost every input.</summary>
    private static bool ReadModel(byte[] bytes)
    {
        try
        {
            _ = ModelFile.Read(new MemoryStream(bytes), verified: true);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }
}
