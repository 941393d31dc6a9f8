using System.Text.Json.Serialization;

namespace PaDiM.Imaging.Preprocessing;

/// <summary>Specifies the order in which a network takes the channels of a colour.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ChannelOrder>))]
public enum ChannelOrder
{
    /// <summary>Red first, as in PyTorch and TensorFlow.</summary>
    [JsonStringEnumMemberName("rgb")]
    Rgb,

    /// <summary>Blue first, as in Caffe, CNTK and OpenCV.</summary>
    [JsonStringEnumMemberName("bgr")]
    Bgr,
}
