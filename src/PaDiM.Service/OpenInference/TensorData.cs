using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text.Json;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.OpenInference;

/// <summary>
/// Gets the images of a tensor one after the other, so that few of a batch are in memory. A tensor that does not fit its
/// shape ends with a fault.
/// </summary>
internal static class TensorData
{
    /// <summary>Bytes before each element of a binary tensor of BYTES: its length, little-endian.</summary>
    private const int PrefixLength = sizeof(uint);

    /// <summary>Reads a binary tensor.</summary>
    /// <param name="body">Where it begins.</param>
    /// <param name="size">Its bytes, to which nothing may follow.</param>
    /// <param name="shape">What it holds.</param>
    /// <param name="maxFileBytes">The largest encoded file.</param>
    /// <param name="held">Counts its bytes; null for a batch, of which few images are held.</param>
    /// <param name="heldBefore">The bytes that are counted already.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public static async IAsyncEnumerable<RequestFile> ReadBinaryAsync(
        Stream body,
        long size,
        ImageShape shape,
        int maxFileBytes,
        BodyMemory.Lease? held,
        long heldBefore,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var prefix = new byte[PrefixLength];
        for (var i = 0; i < shape.Count; i++)
        {
            long length;
            if (shape.Layout is { } layout)
                length = layout.Length;
            else if (
                size >= PrefixLength
                && await body.ReadAtLeastAsync(prefix, PrefixLength, throwOnEndOfStream: false, cancellationToken)
                    == PrefixLength
            )
            {
                length = BinaryPrimitives.ReadUInt32LittleEndian(prefix);
                size -= PrefixLength;
            }
            else
                length = long.MaxValue;
            size -= length;
            if (size < 0)
            {
                yield return Refuse(ImageShape.CreateLengthProblem());
                yield break;
            }
            if (shape.Layout is null && length > maxFileBytes)
            {
                yield return Refuse(Problems.ImageBytes(maxFileBytes));
                yield break;
            }
            var (bytes, fault) = await ReadAsync(body, (int)length, held, heldBefore, cancellationToken);
            yield return new RequestFile(ImageShape.InputName, "", bytes, fault, shape.Layout);
            if (fault is not null)
                yield break;
        }
        if (size > 0 || await body.ReadAsync(prefix.AsMemory(0, 1), cancellationToken) > 0)
            yield return Refuse(ImageShape.CreateLengthProblem());
    }

    /// <summary>
    /// Reads a JSON tensor. Nested arrays and flat ones are the same; an encoded file is a text in base64, because it is
    /// no Unicode.
    /// </summary>
    public static async IAsyncEnumerable<RequestFile> ReadJsonAsync(
        ReadOnlyMemory<byte> data,
        ImageShape shape,
        int maxFileBytes
    )
    {
        var elements = new JsonElements(data);
        for (var i = 0; i < shape.Count; i++)
        {
            var (bytes, fault) = shape.Layout is { } layout
                ? elements.ReadPixels((int)layout.Length)
                : elements.ReadFile(maxFileBytes);
            yield return new RequestFile(ImageShape.InputName, "", bytes, fault, shape.Layout);
            if (fault is not null)
                yield break;
        }
        if (!elements.IsAtEnd())
            yield return Refuse(ImageShape.CreateLengthProblem());
        await Task.CompletedTask;
    }

    private static RequestFile Refuse(Problem problem) => new(ImageShape.InputName, "", [], problem, null);

    /// <summary>Memory grows with what has arrived, not with what was announced.</summary>
    private static async Task<(byte[] Bytes, Problem? Fault)> ReadAsync(
        Stream body,
        int length,
        BodyMemory.Lease? held,
        long heldBefore,
        CancellationToken cancellationToken
    )
    {
        var buffer = new FileBuffer(length);
        while (buffer.Length < length)
        {
            var free = buffer.GetFree();
            free = free[..Math.Min(free.Length, length - buffer.Length)];
            var read = await body.ReadAsync(free, cancellationToken);
            if (read == 0)
                return ([], ImageShape.CreateLengthProblem());
            if (held?.TryGrow(heldBefore + buffer.Length + read) == false)
                return ([], Problems.QueueFull("images are being received"));
            buffer.Advance(read);
        }
        return (buffer.ToArray(), null);
    }

    /// <summary>The elements of a JSON array, which has been read once and is valid.</summary>
    private sealed class JsonElements(ReadOnlyMemory<byte> data)
    {
        private static readonly Problem NotBase64 = Problems.InvalidRequest(
            "An encoded file in JSON is a text in base64. Send it as binary data to send it as it is."
        );
        private int _at;
        private JsonReaderState _state;

        public (byte[] Bytes, Problem? Fault) ReadFile(int maxBytes)
        {
            var reader = Open();
            if (!ReadValue(ref reader))
                return ([], ImageShape.CreateLengthProblem());
            if (reader.TokenType != JsonTokenType.String)
                return ([], NotBase64);
            if (reader.ValueSpan.Length / 4 * 3L > maxBytes + 2)
                return ([], Problems.ImageBytes(maxBytes));
            if (!reader.TryGetBytesFromBase64(out var bytes))
                return ([], NotBase64);
            Close(ref reader);
            return (bytes, null);
        }

        public (byte[] Bytes, Problem? Fault) ReadPixels(int length)
        {
            // The text has a digit and a comma for every sample at least.
            if (length > data.Length / 2)
                return ([], ImageShape.CreateLengthProblem());
            var reader = Open();
            var bytes = GC.AllocateUninitializedArray<byte>(length);
            for (var i = 0; i < length; i++)
            {
                if (!ReadValue(ref reader))
                    return ([], ImageShape.CreateLengthProblem());
                if (reader.TokenType != JsonTokenType.Number || !reader.TryGetByte(out bytes[i]))
                    return ([], ImageShape.CreateSampleProblem());
            }
            Close(ref reader);
            return (bytes, null);
        }

        public bool IsAtEnd()
        {
            var reader = Open();
            return !ReadValue(ref reader);
        }

        private Utf8JsonReader Open() => new(data.Span[_at..], isFinalBlock: true, _state);

        private void Close(ref Utf8JsonReader reader)
        {
            _at += (int)reader.BytesConsumed;
            _state = reader.CurrentState;
        }

        private static bool ReadValue(ref Utf8JsonReader reader)
        {
            while (reader.Read())
                if (reader.TokenType is not (JsonTokenType.StartArray or JsonTokenType.EndArray))
                    return true;
            return false;
        }
    }
}
