using System.Text;
using PaDiM.Core.Persistence;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// Models that someone imports: whatever the file says of itself, it is refused before it takes much memory, and
/// nothing of it stays.
/// </summary>
[Collection(nameof(MeasuresTheMachine))]
public sealed class S06_HostileModels
{
    /// <summary>Many times the file that is sent, and far below what it speaks of.</summary>
    private const long BoundedMemory = 512 << 20;

    [Fact]
    public async Task Hostile_models_are_refused_within_bounded_memory_and_leave_nothing()
    {
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartAsync(data.Path);
        var category = new CategoryClient(service.Http, "part");
        await category.CreateFittedAsync(3);
        var model = await service.Http.GetByteArrayAsync($"{category.Url}/models/1/export");
        var memory = new ProcessMemory(service.Id);
        foreach (var (name, bytes) in Hostile(model))
        {
            var grown = await memory.GrowthAsync(async () =>
                await (
                    await service.Http.PostAsync(
                        $"{category.Url}/models/import",
                        CategoryClient.Raw(bytes, "application/octet-stream")
                    )
                ).ProblemAsync(422, "model_invalid")
            );
            TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {bytes.Length} bytes, memory +{grown >> 20} MiB");
            Assert.True(grown <= BoundedMemory, $"{name}: memory grew by {grown}");
        }
        Assert.Equal(2, Directory.GetFiles(data.Combine("models", "part")).Length);
        Assert.Single((await service.Http.GetJsonAsync($"{category.Url}/models")).Items());
        await (
            await service.Http.PostAsync(
                $"{category.Url}/models/import",
                CategoryClient.Raw(model, "application/octet-stream")
            )
        ).JsonAsync(201);
        await category.ScoreAsync(Parts.Good(1));
    }

    private static IEnumerable<(string Name, byte[] Bytes)> Hostile(byte[] model)
    {
        yield return ("nothing", []);
        yield return ("seven bytes", model[..7]);
        foreach (
            var length in new[]
            {
                0L,
                1,
                long.MaxValue,
                long.MinValue,
                -1,
                model.Length,
                model.Length - 7,
                int.MaxValue,
            }
        )
            yield return ($"header of {length} bytes", [.. BitConverter.GetBytes(length), .. model[8..]]);
        foreach (var percent in new[] { 1, 10, 50, 99 })
            yield return ($"{percent} % of it", model[..(model.Length * percent / 100)]);
        yield return ("one byte more", [.. model, 0]);

        foreach (
            var (name, header) in new[]
            {
                ("a list", "[]"),
                ("a number", "1"),
                ("nested lists", new string('[', 100_000)),
                ("nested objects", string.Concat(Enumerable.Repeat("{\"a\":", 100_000))),
                (
                    "a name twice",
                    """{"mean":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"mean":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"""
                ),
                (
                    "overlapping offsets",
                    """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"""
                ),
                ("a gap", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"""),
                ("negative offsets", """{"a":{"dtype":"F32","shape":[4],"data_offsets":[-8,8]}}"""),
                ("offsets the wrong way round", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"""),
                (
                    "2^63 - 1 elements",
                    """{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}"""
                ),
                (
                    "extents whose product overflows",
                    """{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}"""
                ),
                ("a negative extent", """{"a":{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}}"""),
                ("an extent beyond all numbers", """{"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,8]}}"""),
                ("an unknown type", """{"a":{"dtype":"F1","shape":[8],"data_offsets":[0,8]}}"""),
                (
                    "metadata that is no text",
                    """{"__metadata__":{"format":{"a":[]}},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"""
                ),
                (
                    "a checksum of something else",
                    """{"__metadata__":{"format":"padim-model/1","padim":"{}","xxh128":"00000000000000000000000000000000"},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"""
                ),
                ("30 MB of spaces", $"{{{new string(' ', 30_000_000)}}}"),
                ("10 million numbers", $"{{\"a\":[{string.Concat(Enumerable.Repeat("0,", 10_000_000))}0]}}"),
                (
                    "400 000 tensors",
                    $"{{{string.Join(',', Enumerable.Range(0, 400_000).Select(i => $"\"{i}\":{{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}"))}}}"
                ),
                (
                    "two million keys",
                    $"{{\"__metadata__\":{{{string.Join(',', Enumerable.Range(0, 2_000_000).Select(i => $"\"{i}\":\"\""))}}}}}"
                ),
                ("a text of 30 MB", $"{{\"__metadata__\":{{\"padim\":\"{new string('x', 30_000_000)}\"}}}}"),
            }
        )
            yield return (
                name,
                [
                    .. BitConverter.GetBytes((long)Encoding.UTF8.GetByteCount(header)),
                    .. Encoding.UTF8.GetBytes(header),
                    .. new byte[8],
                ]
            );

        // Whole and with a right checksum, but for one tensor.
        foreach (
            var tensor in new[] { "mean", "basis", "whitening", "ridge", "projection", "calibration", "goldenScores" }
        )
        {
            yield return ($"{tensor} that is not a number", Rewritten(model, tensor, value: double.NaN));
            yield return ($"{tensor} without end", Rewritten(model, tensor, value: double.PositiveInfinity));
            yield return ($"{tensor} with an axis more", Rewritten(model, tensor, shape => [1, .. shape]));
            yield return ($"{tensor} turned", Rewritten(model, tensor, shape => [.. shape.Reverse(), 1]));
            yield return ($"{tensor} under another name", Rewritten(model, tensor, rename: "other"));
        }
        yield return ("golden scores of another model", Rewritten(model, "goldenScores", value: 1e6));
        yield return ("a card of text", Rewritten(model, "", card: "x"));
        yield return ("an empty card", Rewritten(model, "", card: "{}"));
        yield return (
            "a card of nulls",
            Rewritten(model, "", card: """{"settings":null,"backbone":null,"tapChannels":null,"trainingImages":null}""")
        );
        yield return (
            "a card of 10 million channels",
            Rewritten(model, "", card: $"{{\"tapChannels\":[{string.Concat(Enumerable.Repeat("1,", 10_000_000))}1]}}")
        );
    }

    /// <summary>
    /// The model with one tensor changed: its values, its shape or its name. The checksum is the new one.
    /// </summary>
    private static byte[] Rewritten(
        byte[] model,
        string name,
        Func<IReadOnlyList<long>, long[]>? reshape = null,
        double? value = null,
        string? rename = null,
        string? card = null
    )
    {
        var file = SafetensorsReader.Open(new MemoryStream(model));
        var metadata = file
            .Metadata.Where(pair => pair.Key != "xxh128")
            .ToDictionary(
                pair => pair.Key,
                pair => pair.Key == "padim" && card is not null ? card : pair.Value,
                StringComparer.Ordinal
            );
        var written = new MemoryStream();
        Safetensors.Write(
            written,
            metadata,
            [
                .. file.Names.Select(tensor =>
                    tensor == name ? Changed(tensor) : Same(tensor, tensor, file.GetShape(tensor))
                ),
            ]
        );
        return written.ToArray();

        SafetensorsTensor Changed(string tensor)
        {
            var shape = reshape?.Invoke(file.GetShape(tensor)) ?? [.. file.GetShape(tensor)];
            if (value is not { } number)
                return Same(tensor, rename ?? tensor, shape);
            return file.GetTypeName(tensor) == "F64"
                ? SafetensorsTensor.Create(
                    tensor,
                    shape,
                    Array.ConvertAll(file.ReadArray<double>(tensor, shape), _ => number)
                )
                : SafetensorsTensor.Create(
                    tensor,
                    shape,
                    Array.ConvertAll(file.ReadArray<float>(tensor, shape), _ => (float)number)
                );
        }

        SafetensorsTensor Same(string tensor, string newName, IReadOnlyList<long> shape)
        {
            var extents = shape.ToArray();
            var own = file.GetShape(tensor).ToArray();
            return file.GetTypeName(tensor) switch
            {
                "F64" => SafetensorsTensor.Create(newName, extents, file.ReadArray<double>(tensor, own)),
                "F32" => SafetensorsTensor.Create(newName, extents, file.ReadArray<float>(tensor, own)),
                "I32" => SafetensorsTensor.Create(newName, extents, file.ReadArray<int>(tensor, own)),
                "I16" => SafetensorsTensor.Create(newName, extents, file.ReadArray<short>(tensor, own)),
                "BF16" => SafetensorsTensor.Create(newName, extents, file.ReadArray<ushort>(tensor, own)),
                _ => SafetensorsTensor.Create(newName, extents, file.ReadArray<byte>(tensor, own)),
            };
        }
    }
}
