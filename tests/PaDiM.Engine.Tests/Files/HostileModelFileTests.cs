using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck.Xunit;
using PaDiM.Core.Persistence;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Tests.Support;

namespace PaDiM.Engine.Tests.Files;

/// <summary>
/// Files that someone imports: the header may say anything, and the data's own checksum does not cover it.
/// </summary>
public sealed class HostileModelFileTests
{
    private static readonly (byte[] Model, byte[] Statistics) Files = Make();

    private static readonly string[] Junk =
    [
        "null",
        "true",
        "-1",
        "0",
        "1",
        "2147483647",
        "2147483648",
        "9223372036854775807",
        "1e400",
        "0.5",
        "\"\"",
        "\"x\"",
        "[]",
        "{}",
        "[null]",
        "[[1]]",
        "[-1,-1]",
        "[1000000,1000000,1000000]",
    ];

    [Fact]
    public void A_value_of_the_header_replaced_by_anything_is_refused_or_read()
    {
        foreach (var file in new[] { Files.Model, Files.Statistics })
            for (var at = 0; at < ValuesOf(file).Values.Length; at++)
                foreach (var junk in Junk)
                    Try(Replace(file, at, junk), $"value {at} replaced by {junk}");
    }

    [Property(MaxTest = 300)]
    public void Random_bytes_behind_a_length_are_refused(byte[] bytes, byte length)
    {
        var file = new byte[8 + bytes.Length];
        file[0] = length;
        bytes.CopyTo(file, 8);
        Assert.Throws<InvalidDataException>(() => ModelFile.Read(new MemoryStream(file)));
        Assert.Throws<InvalidDataException>(() => StatisticsFile.Read(new MemoryStream(file)));
    }

    [Fact]
    public void A_flipped_byte_of_the_data_is_refused_and_so_is_a_missing_end()
    {
        var start = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(Files.Model);
        for (var at = start; at < Files.Model.Length; at += 997)
        {
            var damaged = Files.Model.ToArray();
            damaged[at] ^= 1;
            Assert.Throws<InvalidDataException>(() => ModelFile.Read(new MemoryStream(damaged)));
            Assert.Throws<InvalidDataException>(() => ModelFile.Read(new MemoryStream(Files.Model[..at])));
        }
    }

    [Fact]
    public void A_reader_that_knows_only_the_published_format_finds_the_tensors()
    {
        var tensors = MinimalSafetensors.Parse(Files.Model, out var metadata);
        var model = ModelFile.Read(new MemoryStream(Files.Model));
        Assert.Equal("padim-model/1", metadata["format"]);
        Assert.Equal(
            ["basis", "calibration", "golden", "goldenScores", "mean", "projection", "ridge", "whitening"],
            tensors.Keys.Order(StringComparer.Ordinal)
        );
        Assert.Equal(("F32", [16L, 16, 24]), (tensors["mean"].Type, tensors["mean"].Shape), ShapesEqual);
        Assert.Equal(model.Distribution.Mean, MinimalSafetensors.Floats(tensors["mean"].Data));
        var distribution = Assert.IsType<LowRankDistribution>(model.Distribution);
        Assert.Equal(("F32", [16L, 16, 2, 24]), (tensors["basis"].Type, tensors["basis"].Shape), ShapesEqual);
        Assert.Equal(distribution.Basis, MinimalSafetensors.Floats(tensors["basis"].Data));
        Assert.Equal(distribution.Whitening, MinimalSafetensors.Floats(tensors["whitening"].Data));
        Assert.Equal(model.Calibration.Scores, MinimalSafetensors.Doubles(tensors["calibration"].Data));

        tensors = MinimalSafetensors.Parse(Files.Statistics, out _);
        var statistics = Assert.IsType<PatchStatistics>(StatisticsFile.Read(new MemoryStream(Files.Statistics)));
        Assert.Equal(statistics.Mean, MinimalSafetensors.Doubles(tensors["mean"].Data));
        Assert.Equal(statistics.Scatter, MinimalSafetensors.Doubles(tensors["scatter"].Data));
    }

    private static bool ShapesEqual((string Type, long[] Shape) one, (string Type, long[] Shape) other) =>
        one.Type == other.Type && one.Shape.SequenceEqual(other.Shape);

    private static void Try(byte[] file, string what)
    {
        foreach (
            var read in new Action<Stream>[] { stream => ModelFile.Read(stream), stream => StatisticsFile.Read(stream) }
        )
            Assert.True(Record.Exception(() => read(new MemoryStream(file))) is null or InvalidDataException, what);
    }

    /// <summary>The file with one value of its header, or of the card inside it, replaced.</summary>
    private static byte[] Replace(byte[] file, int at, string junk)
    {
        var (header, card, values) = ValuesOf(file);
        if (values[at].Parent is JsonObject members)
            members[values[at].GetPropertyName()] = JsonNode.Parse(junk);
        else
            values[at].Parent!.AsArray()[values[at].GetElementIndex()] = JsonNode.Parse(junk);
        if (
            card is not null
            && header["__metadata__"] is JsonObject metadata
            && metadata["padim"] is JsonValue text
            && text.GetValueKind() == JsonValueKind.String
            && text.GetValue<string>().Length > 1
        )
            metadata["padim"] = card.ToJsonString();
        var bytes = Encoding.UTF8.GetBytes(header.ToJsonString());
        return
        [
            .. BitConverter.GetBytes((long)bytes.Length),
            .. bytes,
            .. file[(8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file))..],
        ];
    }

    private static (JsonNode Header, JsonNode? Card, JsonNode[] Values) ValuesOf(byte[] file)
    {
        var header = JsonNode.Parse(file.AsSpan(8, (int)BinaryPrimitives.ReadInt64LittleEndian(file)))!;
        var card = header["__metadata__"]!["padim"] is { } text ? JsonNode.Parse(text.GetValue<string>()) : null;
        return (header, card, [.. Below(header), .. card is null ? [] : Below(card)]);
    }

    private static IEnumerable<JsonNode> Below(JsonNode node) =>
        node switch
        {
            JsonObject members => members
                .Select(pair => pair.Value)
                .OfType<JsonNode>()
                .SelectMany(child => Below(child).Prepend(child)),
            JsonArray items => items.OfType<JsonNode>().SelectMany(child => Below(child).Prepend(child)),
            _ => [],
        };

    private static (byte[], byte[]) Make()
    {
        using var fits = new Fits();
        var model = Fits.Bytes(fits.Run(fits.Parts(0, 3)));
        var statistics = new MemoryStream();
        StatisticsFile.Write(statistics, fits.Statistics!);
        return (model, statistics.ToArray());
    }
}
