using System.Threading.Channels;

namespace PaDiM.Service.Sinks;

/// <summary>What one sink has yet to send: a bounded number of inspections, and the memory of their images.</summary>
internal sealed class SinkQueue
{
    private readonly Channel<SinkMessage> _messages;
    private readonly long _maxImageBytes;
    private long _dropped,
        _imageBytes,
        _imagesDropped;

    public SinkQueue(SinkOptions options)
    {
        _maxImageBytes = options.SinkImageBytes;
        // The newest say how the line does now, so that they stay.
        _messages = Channel.CreateBounded<SinkMessage>(
            new BoundedChannelOptions(options.SinkQueueCapacity)
            {
                FullMode = BoundedChannelFullMode.DropOldest,
                SingleReader = true,
            },
            Drop
        );
    }

    public int Count => _messages.Reader.Count;

    /// <summary>Gets the number of inspections that no longer fitted.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Gets the number of images that no longer fitted into the memory, and that lines go without.</summary>
    public long ImagesDropped => Interlocked.Read(ref _imagesDropped);

    /// <summary>Adds a message, in place of the oldest if there are too many. Never waits.</summary>
    /// <param name="message">The message.</param>
    /// <param name="image">The bytes of its image; null if the receiver wants none.</param>
    public void Add(SinkMessage message, byte[]? image)
    {
        if (image is not null && TryHold(image))
            message = message with { Image = image };
        if (!_messages.Writer.TryWrite(message))
            Drop(message);
    }

    /// <summary>Waits for a message. False once there will be none.</summary>
    public ValueTask<bool> WaitAsync() => _messages.Reader.WaitToReadAsync();

    /// <summary>Takes the oldest message. What is done with it is released.</summary>
    public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SinkMessage? message) =>
        _messages.Reader.TryRead(out message);

    /// <summary>Gives back the memory of a message's image.</summary>
    public void Release(SinkMessage message) => Interlocked.Add(ref _imageBytes, -(message.Image?.Length ?? 0));

    /// <summary>Takes no more; what comes is dropped.</summary>
    public void Close() => _messages.Writer.TryComplete();

    /// <summary>Holds the memory of an image, unless too many wait: their lines go without.</summary>
    private bool TryHold(byte[] image)
    {
        if (Interlocked.Add(ref _imageBytes, image.Length) <= _maxImageBytes)
            return true;
        Interlocked.Add(ref _imageBytes, -image.Length);
        Interlocked.Increment(ref _imagesDropped);
        return false;
    }

    private void Drop(SinkMessage message)
    {
        Release(message);
        Interlocked.Increment(ref _dropped);
    }
}
