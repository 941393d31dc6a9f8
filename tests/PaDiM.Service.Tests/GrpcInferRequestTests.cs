using Google.Protobuf;
using PaDiM.Imaging;
using PaDiM.Service.OpenInference;
using PaDiM.Service.Tests.OpenInference;

namespace PaDiM.Service.Tests;

/// <summary>Messages that are read by hand: whatever they hold, reading them ends with a request or a problem.</summary>
public sealed class GrpcInferRequestTests
{
    private static readonly ModelInferRequest Files = new()
    {
        ModelName = "flange",
        ModelVersion = "3",
        Id = "42",
        Parameters =
        {
            ["shift"] = new InferParameter { StringParam = "night" },
            ["retry"] = new InferParameter { Int64Param = -2 },
        },
        Inputs =
        {
            new ModelInferRequest.Types.InferInputTensor
            {
                Name = "image",
                Datatype = "BYTES",
                Shape = { 2 },
                Parameters = { ["ignored"] = new InferParameter { BoolParam = true } },
                Contents = new InferTensorContents
                {
                    BytesContents = { ByteString.CopyFromUtf8("one"), ByteString.CopyFromUtf8("") },
                },
            },
        },
        Outputs = { new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "score" } },
    };

    private static readonly ModelInferRequest Pixels = new()
    {
        ModelName = "flange",
        Inputs =
        {
            new ModelInferRequest.Types.InferInputTensor
            {
                Name = "image",
                Datatype = "UINT8",
                Shape = { 2, 1, 2, 1 },
                Contents = new InferTensorContents { UintContents = { 1, 2, 255, 4 } },
            },
        },
    };

    [Fact]
    public async Task A_request_is_what_generated_code_wrote()
    {
        var request = Parse(Files);
        Assert.Equal(("flange", "3", "42"), (request.Model, request.Version, request.Id));
        Assert.Equal("night", request.Parameters["shift"].StringParam);
        Assert.Equal(-2, request.Parameters["retry"].Int64Param);
        Assert.Equal(("image", "BYTES"), (request.Header.Name, request.Header.Datatype));
        Assert.Equal([2], request.Header.Shape);
        Assert.Equal(["score"], request.Header.Outputs!.Select(output => output.Name));
        var files = await request.ReadFiles(new ImageShape(2, null), 100, default).ToListAsync();
        Assert.Equal(["one", ""], files.Select(file => System.Text.Encoding.UTF8.GetString(file.Bytes)));
        Assert.All(files, file => Assert.Null(file.Fault));
    }

    [Fact]
    public async Task Samples_are_packed_numbers()
    {
        var layout = new PixelLayout(2, 1, PixelFormat.Gray8);
        var files = await Parse(Pixels).ReadFiles(new ImageShape(2, layout), 100, default).ToListAsync();
        Assert.Equal<byte[]>(
            [
                [1, 2],
                [255, 4],
            ],
            files.Select(file => file.Bytes)
        );
        var tooMany = Pixels.Clone();
        tooMany.Inputs[0].Contents.UintContents.Add(5);
        files = await Parse(tooMany).ReadFiles(new ImageShape(2, layout), 100, default).ToListAsync();
        Assert.NotNull(files[^1].Fault);
        tooMany.Inputs[0].Contents.UintContents[0] = 256;
        files = await Parse(tooMany).ReadFiles(new ImageShape(2, layout), 100, default).ToListAsync();
        Assert.NotNull(files[0].Fault);
    }

    [Fact]
    public async Task Damaged_messages_never_break()
    {
        var random = new Random(5);
        byte[][] messages = [Files.ToByteArray(), Pixels.ToByteArray()];
        foreach (var message in messages)
            for (var i = 0; i < 5000; i++)
            {
                var damaged = message[..random.Next(i % 2 == 0 ? message.Length : 0, message.Length + 1)];
                for (var change = random.Next(4); change > 0 && damaged.Length > 0; change--)
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                if (!GrpcInferRequest.Parse(damaged).Succeeded(out var request, out _))
                    continue;
                foreach (var layout in new[] { null, new PixelLayout(2, 1, PixelFormat.Gray8) })
                {
                    var files = await request.ReadFiles(new ImageShape(2, layout), 100, default).ToListAsync();
                    Assert.InRange(files.Count, 1, 3);
                }
            }
    }

    private static GrpcInferRequest Parse(ModelInferRequest message) =>
        GrpcInferRequest.Parse(message.ToByteArray()).Succeeded(out var request, out var problem)
            ? request
            : throw new InvalidOperationException(problem.Detail);
}
