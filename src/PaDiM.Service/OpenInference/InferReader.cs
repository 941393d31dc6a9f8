using System.Globalization;
using Microsoft.Extensions.Options;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.OpenInference;

/// <summary>
/// Reads requests to infer over HTTP: a JSON object, and tensor data in it or, with the extension for binary data, behind
/// it.
/// </summary>
internal sealed class InferReader(
    IOptions<ImageOptions> images,
    IOptions<ScoringOptions> scoring,
    ImageDecoder decoder,
    BodyMemory memory
)
{
    /// <summary>The header with the length of the JSON object, if binary data follows.</summary>
    public const string LengthHeader = "Inference-Header-Content-Length";

    private const int Slack = 1 << 16;

    /// <summary>The largest JSON object: the largest file in base64, and what is around it.</summary>
    private long MaxJson => images.Value.MaxImageBytes / 3 * 4L + Slack;

    /// <summary>Reads a request. The images of binary data are read while they are scored.</summary>
    public async Task<Outcome<InferInput>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var (header, isBinary) = (request.Headers[LengthHeader], request.Headers.ContainsKey(LengthHeader));
        var length = 0L;
        if (isBinary && !long.TryParse(header.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out length))
            return Problems.InvalidRequest($"{LengthHeader} must be the length of the JSON object in bytes.");
        if (length > MaxJson)
            return Problems.BodyTooLarge();
        ImageRequest.SetLimit(request, isBinary ? images.Value.MaxUploadBytes : MaxJson);
        var held = memory.Start();
        request.HttpContext.Response.RegisterForDispose(held);
        var read = await ReadJsonAsync(request.Body, isBinary ? length : null, held, cancellationToken);
        if (
            !read.Succeeded(out var json, out var problem)
            || !InferJson.Parse(json).Succeeded(out var parsed, out problem)
            || !ParseShape(parsed).Succeeded(out var shape, out problem)
        )
            return problem;
        if (parsed.BinarySize is null)
            // The text is held while its images are decoded.
            return !held.TryGrow(json.Length + parsed.Data.Length * 3L / 4)
                    ? Problems.QueueFull("images are being received")
                : parsed.Data.IsEmpty
                    ? Problems.InvalidRequest(
                        $"'{ImageShape.InputName}' has neither data nor the parameter binary_data_size."
                    )
                : new InferInput(
                    parsed,
                    shape,
                    TensorData.ReadJsonAsync(parsed.Data, shape, images.Value.MaxImageBytes)
                );
        if (!isBinary || !parsed.Data.IsEmpty)
            return Problems.InvalidRequest(
                $"binary_data_size says that data follows the JSON object: name the object's length in {LengthHeader}, and "
                    + "leave data out."
            );
        return new InferInput(
            parsed,
            shape,
            TensorData.ReadBinaryAsync(
                request.Body,
                parsed.BinarySize.Value,
                shape,
                images.Value.MaxImageBytes,
                shape.Count == 1 ? held : null,
                json.Length,
                cancellationToken
            )
        );
    }

    /// <summary>Reads the type and the shape of a request's tensor.</summary>
    public Outcome<ImageShape> ParseShape(InferHeader header) =>
        ImageShape.Parse(header.Name, header.Datatype, header.Shape, decoder, scoring.Value.MaxBatchFiles);

    private async Task<Outcome<ReadOnlyMemory<byte>>> ReadJsonAsync(
        Stream body,
        long? length,
        BodyMemory.Lease held,
        CancellationToken cancellationToken
    )
    {
        var most = length ?? MaxJson + 1;
        var buffer = new FileBuffer((int?)length);
        while (buffer.Length < most)
        {
            var free = buffer.GetFree();
            free = free[..(int)Math.Min(free.Length, most - buffer.Length)];
            var read = await body.ReadAsync(free, cancellationToken);
            if (read == 0)
                break;
            if (!held.TryGrow(buffer.Length + read))
                return Problems.QueueFull("images are being received");
            buffer.Advance(read);
        }
        if (buffer.Length > MaxJson)
            return Problems.BodyTooLarge();
        return new ReadOnlyMemory<byte>(buffer.ToArray());
    }
}

/// <summary>A request to infer.</summary>
/// <param name="Header">What it says about its tensors.</param>
/// <param name="Shape">What its input holds.</param>
/// <param name="Files">The images, read one after the other.</param>
internal sealed record InferInput(InferHeader Header, ImageShape Shape, IAsyncEnumerable<RequestFile> Files);
