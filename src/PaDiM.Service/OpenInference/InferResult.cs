using System.Globalization;
using System.Text.Json;

namespace PaDiM.Service.OpenInference;

/// <summary>
/// Writes what was found, as JSON, or as a JSON object with tensors in binary form behind it if one is wanted so.
/// </summary>
internal sealed class InferResult(InferAnswer answer) : IResult
{
    private const string Json = "application/json",
        Binary = "application/octet-stream";

    public async Task ExecuteAsync(HttpContext context)
    {
        var response = context.Response;
        var tensors = answer
            .Outputs.Select(chosen => (Tensor: answer.GetTensor(chosen.Output), chosen.Binary))
            .ToArray();
        if (!tensors.Any(tensor => tensor.Binary))
        {
            response.ContentType = Json;
            await using var writer = new Utf8JsonWriter(response.BodyWriter);
            await WriteAsync(writer, tensors, SendAsync);
            return;

            async Task SendAsync()
            {
                await writer.FlushAsync(context.RequestAborted);
                await response.BodyWriter.FlushAsync(context.RequestAborted);
            }
        }
        using var header = new MemoryStream();
        await using (var writer = new Utf8JsonWriter(header))
            await WriteAsync(writer, tensors, () => Task.CompletedTask);
        response.ContentType = Binary;
        response.Headers[InferReader.LengthHeader] = header.Length.ToString(CultureInfo.InvariantCulture);
        response.ContentLength =
            header.Length + tensors.Where(tensor => tensor.Binary).Sum(tensor => tensor.Tensor.BinarySize);
        await response.Body.WriteAsync(header.GetBuffer().AsMemory(0, (int)header.Length), context.RequestAborted);
        foreach (var (tensor, binary) in tensors)
            if (binary)
                foreach (var piece in tensor.ToBinary())
                    await response.Body.WriteAsync(piece, context.RequestAborted);
    }

    private async Task WriteAsync(
        Utf8JsonWriter json,
        IEnumerable<(OutputTensor Tensor, bool Binary)> tensors,
        Func<Task> send
    )
    {
        json.WriteStartObject();
        json.WriteString("model_name", answer.Category);
        json.WriteString("model_version", answer.Version.ToString(CultureInfo.InvariantCulture));
        if (answer.Id is not null)
            json.WriteString("id", answer.Id);
        if (!answer.Parameters.IsEmpty)
        {
            json.WritePropertyName("parameters");
            json.WriteRawValue(answer.Parameters.Span);
        }
        json.WriteStartArray("outputs");
        foreach (var (tensor, binary) in tensors)
        {
            json.WriteStartObject();
            json.WriteString("name", tensor.Output.Name);
            json.WriteString("datatype", tensor.Output.Datatype);
            json.WriteStartArray("shape");
            foreach (var extent in tensor.Shape)
                json.WriteNumberValue(extent);
            json.WriteEndArray();
            if (binary)
            {
                json.WriteStartObject("parameters");
                json.WriteNumber("binary_data_size", tensor.BinarySize);
                json.WriteEndObject();
            }
            else
            {
                json.WritePropertyName("data");
                await tensor.WriteJsonAsync(json, send);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        await json.FlushAsync();
    }
}
