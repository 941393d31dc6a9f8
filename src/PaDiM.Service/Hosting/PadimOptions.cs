using System.ComponentModel.DataAnnotations;
using PaDiM.Onnx.Backbones;
using PaDiM.Onnx.Imaging;

namespace PaDiM.Service.Hosting;

/// <summary>The settings of the service, section <c>Padim</c>. Checked when the program starts.</summary>
internal sealed class PadimOptions
{
    public const string Section = "Padim";

    /// <summary>Database, images and statistics; created when absent. A relative path counts from the working directory.</summary>
    [Required]
    public string DataDirectory { get; set; } = "data";

    /// <summary>Searched for <c>NAME.onnx</c> after the built-in directory, in order.</summary>
    public string[] BackboneDirectories { get; set; } = [];

    /// <summary>Backbone of categories that name none.</summary>
    [Required]
    public string DefaultBackbone { get; set; } = BackboneRegistry.DefaultName;

    /// <summary>Where backbones run.</summary>
    public DevicePreference Device { get; set; }

    /// <summary>With CUDA, let TensorRT take the parts of graphs that it can.</summary>
    public bool TensorRt { get; set; }

    /// <summary>Threads of inference and of the kernels around it; 0 for one a core.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>How log lines look.</summary>
    public LogFormat LogFormat { get; set; }

    /// <summary>Largest width times height of an image, read off its header or off the query of raw pixels.</summary>
    [Range(1024, int.MaxValue)]
    public long MaxPixels { get; set; } = ImageDecoder.DefaultMaxPixels;

    /// <summary>How long the decoding of an image of up to 8 megapixels may take, in milliseconds, and of a larger one in proportion. Images that are stored are not bound by it.</summary>
    [Range(10, 600_000)]
    public int DecodeTimeoutMs { get; set; } = 2000;

    /// <summary>Memory for all images that are decoded at a time, in bytes, at 10 a pixel; where it is short, some wait.</summary>
    [Range(1 << 20, long.MaxValue)]
    public long DecodeMemoryBytes { get; set; } = 1L << 30;

    /// <summary>Largest encoded image, in bytes. Raw pixels are bound by <see cref="MaxPixels"/> alone.</summary>
    [Range(1024, int.MaxValue / 2)]
    public int MaxImageBytes { get; set; } = 64 << 20;

    /// <summary>Largest body of an upload of many images or of a model, in bytes.</summary>
    [Range(1024, long.MaxValue)]
    public long MaxUploadBytes { get; set; } = 4L << 30;

    /// <summary>Most images in one batch to be scored.</summary>
    [Range(1, 100_000)]
    public int MaxBatchFiles { get; set; } = 256;

    /// <summary>Images under way, from their last byte to their answer; one more is answered with 503. Those of batches hold half of them at most.</summary>
    [Range(1, 100_000)]
    public int QueueCapacity { get; set; } = 64;

    /// <summary>Most images that pass through the backbone together.</summary>
    [Range(1, 256)]
    public int MaxBatchSize { get; set; } = 8;

    /// <summary>How long an image may wait for its batch to fill, in milliseconds; 0 to go through with what is there. Worth it on a GPU, where a batch costs little more than an image.</summary>
    [Range(0, 1000)]
    public int MaxBatchWaitMs { get; set; }

    /// <summary>Connections at a time; one more is closed at once.</summary>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 10_000;

    /// <summary>Clients that follow jobs by server-sent events at a time; one more is answered with 503.</summary>
    [Range(1, 100_000)]
    public int MaxEventStreams { get; set; } = 256;

    /// <summary>Jobs that this process runs at a time; 0 for a replica that only scores.</summary>
    [Range(0, 64)]
    public int JobWorkers { get; set; } = 1;

    /// <summary>Jobs that may wait; one more is answered with 503.</summary>
    [Range(1, 1_000_000)]
    public int JobQueueCapacity { get; set; } = 1000;

    /// <summary>How long a job stays with a worker that is no longer heard of, in seconds.</summary>
    [Range(3, 3600)]
    public int JobLeaseSeconds { get; set; } = 30;

    /// <summary>Memory for models that are ready to score, in bytes, the host's and the device's together; the least recently used make room.</summary>
    [Range(1 << 20, long.MaxValue)]
    public long ModelCacheBytes { get; set; } = 4L << 30;

    /// <summary>Age from which on files that no row speaks of are removed, in minutes.</summary>
    [Range(1, 100_000)]
    public int OrphanGraceMinutes { get; set; } = 5;

    /// <summary>Days after which an embedding that no fit has read goes; a later fit reads its image again.</summary>
    [Range(1, 100_000)]
    public int EmbeddingCacheDays { get; set; } = 30;
}

/// <summary>How log lines look.</summary>
internal enum LogFormat
{
    /// <summary>Lines for people.</summary>
    Plain,

    /// <summary>One JSON object a line.</summary>
    Json,
}
