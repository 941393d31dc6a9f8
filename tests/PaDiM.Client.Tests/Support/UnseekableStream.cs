namespace PaDiM.Client.Tests.Support;

/// <summary>Bytes that can be read once, as from a pipe.</summary>
internal sealed class UnseekableStream(byte[] bytes) : MemoryStream(bytes)
{
    public override bool CanSeek => false;
}
