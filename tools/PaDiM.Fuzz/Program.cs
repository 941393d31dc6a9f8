using System.Diagnostics;
using System.Globalization;
using PaDiM.Core.Persistence;
using PaDiM.Imaging.Decoding;
using SharpFuzz;

namespace PaDiM.Fuzz;

/// <summary>
/// Damages files at random and reads them until the time is up: <c>images|models CORPUS SEED SECONDS KEEP</c>; or reads
/// what afl-fuzz hands it: <c>images|models guided</c>.
/// </summary>
internal static class Program
{
    /// <summary>
    /// No image may take longer, whatever is wrong with it: the decoder's own limit, and what it does not look at the
    /// clock for.
    /// </summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private static readonly ImageDecoder Decoder = new(maxPixels: 4 << 20, Limit);

    public static int Main(string[] args)
    {
        if (args is [var guided, "guided"] && TryOf(guided) is { } readGuided)
        {
            // In a process of its own, so that one that a native library ends is a find and not the end.
            Fuzzer.OutOfProcess.Run(stream => readGuided(ReadAll(stream)));
            return 0;
        }
        if (
            args is not [var target, var corpus, var seedText, var secondsText, var keep]
            || !int.TryParse(seedText, CultureInfo.InvariantCulture, out var seed)
            || !int.TryParse(secondsText, CultureInfo.InvariantCulture, out var seconds)
            || TryOf(target) is not { } read
        )
        {
            Console.Error.WriteLine(
                "PaDiM.Fuzz images|models CORPUS SEED SECONDS KEEP\nPaDiM.Fuzz images|models guided (by afl-fuzz: guided.sh)"
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
        var told = TimeSpan.Zero;
        var slowest = TimeSpan.Zero;
        var inputs = 0L;
        var accepted = 0L;
        // Written before it is read: what ends the process, or never ends, lies there.
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
            if (clock.Elapsed - told < TimeSpan.FromSeconds(1))
                continue;
            told = clock.Elapsed;
            Tell();
        }
        Tell();
        File.Delete(current);
        return 0;

        void Tell()
        {
            using var process = Process.GetCurrentProcess();
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{inputs} inputs, {accepted} accepted, slowest {slowest.TotalMilliseconds:f0} ms, peak {process.PeakWorkingSet64 >> 20} MiB"
                )
            );
        }
    }

    /// <summary>Reads an input and tells whether it was accepted; anything but a refusal ends the process.</summary>
    private static Func<byte[], bool>? TryOf(string target) =>
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

    /// <summary>Without its checksum, which would stop nearly all of them.</summary>
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
