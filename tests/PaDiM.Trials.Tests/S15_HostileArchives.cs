using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// Archives that someone imports: whatever they say of themselves, they take little memory, nothing is written outside
/// the data directory, and nothing that was refused stays.
/// </summary>
public sealed class S15_HostileArchives
{
    private const long BoundedMemory = 256 << 20;

    [Fact]
    public async Task Hostile_archives_are_refused_within_bounded_memory_and_leave_nothing()
    {
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartAsync(data.Path);
        var category = new CategoryClient(service.Http, "part");
        await category.CreateAsync();
        var memory = new ProcessMemory(service.Id);
        foreach (var (name, bytes, status, code) in Hostile())
        {
            var grown = await memory.GrowthAsync(async () =>
                await (await category.ImportAsync(bytes)).ProblemAsync(status, code)
            );
            TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {bytes.Length} bytes, memory +{grown >> 20} MiB");
            Assert.True(grown <= BoundedMemory, $"{name}: memory grew by {grown}");
        }
        Assert.Empty((await service.Http.GetJsonAsync($"{category.Url}/images")).Items());
        Assert.Empty(Directory.GetFiles(data.Combine("images")));
        Assert.DoesNotContain(
            Directory.EnumerateFiles(data.Path, "*", SearchOption.AllDirectories),
            path => path.Contains("evil", StringComparison.Ordinal)
        );
        await (await category.ImportAsync(Whole())).JsonAsync(200);
    }

    [Fact]
    public async Task An_archive_that_is_damaged_anywhere_loses_images_and_changes_none()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("part");
        await category.CreateAsync();
        var whole = Whole();
        var random = new Random(1);
        for (var trial = 0; trial < 40; trial++)
        {
            var damaged = (byte[])whole.Clone();
            for (var flip = 0; flip <= trial % 3; flip++)
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            var cut = trial % 4 == 0 ? damaged[..random.Next(damaged.Length)] : damaged;
            using var answer = await category.ImportAsync(cut);
            Assert.True((int)answer.StatusCode is 200 or 400 or 413 or 422, await answer.Content.ReadAsStringAsync());
        }
        var known = new[] { Parts.Good(1), Parts.Good(2), Parts.Bad(1) }.Select(bytes =>
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes))
        );
        Assert.Empty(
            (await service.Http.GetJsonAsync($"{category.Url}/images"))
                .Items()
                .Select(image => image.Text("sha256"))
                .Except(known)
        );
        await Trial.IsWholeAsync(service);
    }

    private static byte[] Whole() =>
        ZipFiles.Pack([
            ("part/train/good/0.bmp", Parts.Good(1)),
            ("part/train/good/1.bmp", Parts.Good(2)),
            ("part/test/dent/0.bmp", Parts.Bad(1)),
            ("part/ground_truth/dent/0_mask.bmp", Parts.BadMask()),
        ]);

    private static IEnumerable<(string Name, byte[] Bytes, int Status, string Code)> Hostile()
    {
        var whole = Whole();
        yield return ("nothing", [], 422, "archive_invalid");
        yield return ("zeros", new byte[1 << 20], 422, "archive_invalid");
        foreach (var percent in new[] { 1, 50, 99 })
            yield return ($"{percent} % of it", whole[..(whole.Length * percent / 100)], 422, "archive_invalid");
        yield return ("an end and nothing before it", [0x50, 0x4b, 5, 6, .. new byte[18]], 422, "archive_invalid");
        yield return (
            "an end that points at itself",
            [0x50, 0x4b, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0, 46, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            422,
            "archive_invalid"
        );
        var end = whole.Length - 22;
        yield return ("fewer entries than it says", Patch(whole, end + 10, 9), 422, "archive_invalid");
        yield return ("more entries than it says", Patch(whole, end + 10, 1), 422, "archive_invalid");
        yield return ("a directory beyond the end", Patch(whole, end + 18, 0x7fff), 422, "archive_invalid");
        yield return ("a large directory without its end", Patch(whole, end + 10, 0xffff), 422, "archive_invalid");

        yield return ("256 MB of zeros in one entry", Zeros(1, 256L << 20), 413, "archive_too_large");
        yield return ("four times 60 MB of zeros", Zeros(4, 60L << 20), 413, "archive_too_large");
        yield return ("60 MB of zeros", Zeros(1, 60L << 20), 400, "image_unreadable");
        yield return ("a length of 2^62", Lie(whole, long.MaxValue / 2), 413, "archive_too_large");
        yield return ("two hundred thousand entries", Empty(200_000), 413, "archive_too_large");
        yield return ("a hundred thousand entries", Empty(100_000), 422, "archive_invalid");
        yield return ("all entries share one body", Shared(whole), 400, "archive_entry_invalid");

        var one = ZipFiles.Pack([("train/good/0.bmp", Parts.Good(1))]);
        yield return ("encrypted", PatchHeaders(one, 8, 6, 1), 400, "archive_entry_invalid");
        yield return ("another method", PatchHeaders(one, 10, 8, 12), 400, "archive_entry_invalid");
        yield return ("another checksum", PatchHeaders(one, 16, 14, 7), 400, "archive_entry_invalid");
        yield return ("longer than it says", PatchHeaders(one, 24, 22, 1000), 400, "archive_entry_invalid");
        yield return ("shorter than it says", PatchHeaders(one, 24, 22, 60_000), 400, "archive_entry_invalid");
        yield return ("a link", Link(), 400, "archive_entry_invalid");
        foreach (
            var name in new[]
            {
                "../train/good/evil.bmp",
                "../../../../tmp/train/good/evil.bmp",
                "train/good/../../../evil.bmp",
                "/etc/train/good/evil.bmp",
                "C:/train/good/evil.bmp",
                @"..\..\train\good\evil.bmp",
                "train/good/evil\0.bmp",
            }
        )
            yield return (name, ZipFiles.Pack([(name, Parts.Good(1))]), 400, "archive_entry_invalid");
    }

    private static byte[] Zeros(int entries, long length)
    {
        using var packed = new MemoryStream();
        using (var archive = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
            for (var i = 0; i < entries; i++)
            {
                using var content = archive.CreateEntry($"train/good/{i}.bmp", CompressionLevel.Optimal).Open();
                var zeros = new byte[1 << 20];
                for (var left = length; left > 0; left -= zeros.Length)
                    content.Write(zeros);
            }
        return packed.ToArray();
    }

    private static byte[] Empty(int entries) =>
        ZipFiles.Pack(Enumerable.Range(0, entries).Select(i => ($"{i}", Array.Empty<byte>())));

    /// <summary>Every entry of the directory begins where the first one does, as in bombs without nesting.</summary>
    private static byte[] Shared(byte[] archive)
    {
        var shared = (byte[])archive.Clone();
        foreach (var header in Headers(shared).Skip(1))
            BinaryPrimitives.WriteUInt32LittleEndian(shared.AsSpan(header + 42), 0);
        // The first entry is an image, which is not to be stored here.
        shared[64] ^= 0x55;
        return shared;
    }

    /// <summary>The length of the first entry is in a zip64 field.</summary>
    private static byte[] Lie(byte[] archive, long length)
    {
        var header = Headers(archive)[0];
        var name = BinaryPrimitives.ReadUInt16LittleEndian(archive.AsSpan(header + 28));
        var extra = new byte[12];
        BinaryPrimitives.WriteUInt16LittleEndian(extra, 1);
        BinaryPrimitives.WriteUInt16LittleEndian(extra.AsSpan(2), 8);
        BinaryPrimitives.WriteInt64LittleEndian(extra.AsSpan(4), length);
        byte[] lying = [.. archive[..(header + 46 + name)], .. extra, .. archive[(header + 46 + name)..]];
        BinaryPrimitives.WriteUInt16LittleEndian(lying.AsSpan(header + 4), 45);
        BinaryPrimitives.WriteUInt32LittleEndian(lying.AsSpan(header + 24), uint.MaxValue);
        BinaryPrimitives.WriteUInt16LittleEndian(lying.AsSpan(header + 30), (ushort)extra.Length);
        var size = BinaryPrimitives.ReadUInt32LittleEndian(lying.AsSpan(lying.Length - 22 + 12));
        BinaryPrimitives.WriteUInt32LittleEndian(lying.AsSpan(lying.Length - 22 + 12), size + (uint)extra.Length);
        return lying;
    }

    private static byte[] Link()
    {
        using var packed = new MemoryStream();
        using (var archive = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
            ZipFiles.Add(archive, "train/good/evil.bmp", Encoding.UTF8.GetBytes("/etc/passwd")).ExternalAttributes =
                0xA1FF << 16;
        return packed.ToArray();
    }

    private static byte[] Patch(byte[] bytes, int position, int value)
    {
        var patched = (byte[])bytes.Clone();
        BinaryPrimitives.WriteUInt16LittleEndian(patched.AsSpan(position), (ushort)value);
        return patched;
    }

    /// <summary>Changes a field of the first entry, in the directory and before its body.</summary>
    private static byte[] PatchHeaders(byte[] archive, int inDirectory, int before, int value) =>
        Patch(Patch(archive, Headers(archive)[0] + inDirectory, value), before, value);

    private static List<int> Headers(byte[] archive)
    {
        var found = new List<int>();
        for (var i = 0; i < archive.Length - 4; i++)
            if (archive.AsSpan(i).StartsWith("PK\u0001\u0002"u8))
                found.Add(i);
        return found;
    }
}
