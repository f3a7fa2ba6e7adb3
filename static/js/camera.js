// Reads codes with the camera: `BarcodeDetector` where the browser has it, else the QR decoder that the portal serves.
// window.portal.camera(video, decoderAddress) -> { isThere, start(onCode), stop(), isOn() }. Nothing is asked before
// start().
(() => {
  "use strict";

  const FORMATS = ["qr_code", "code_128", "code_39", "ean_13", "data_matrix"];
  const AGAIN_AFTER = 3000;
  const PAUSE = 120;

  const load = (address) => new Promise((resolve, reject) => {
    if (window.jsQR) { resolve(); return; }
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", resolve);
    script.addEventListener("error", reject);
    document.head.append(script);
  });

  const own = async () => {
    if (!("BarcodeDetector" in window)) return null;
    const known = await window.BarcodeDetector.getSupportedFormats();
    const formats = FORMATS.filter((format) => known.includes(format));
    if (!formats.includes("qr_code")) return null;
    const detector = new window.BarcodeDetector({ formats });
    return async (video) => (await detector.detect(video))[0]?.rawValue || "";
  };

  const served = async (address) => {
    await load(address);
    const canvas = document.createElement("canvas");
    const paper = canvas.getContext("2d", { willReadFrequently: true });
    return async (video) => {
      const scale = Math.min(1, 800 / Math.max(video.videoWidth, video.videoHeight, 1));
      canvas.width = Math.round(video.videoWidth * scale);
      canvas.height = Math.round(video.videoHeight * scale);
      if (!canvas.width || !canvas.height) return "";
      paper.drawImage(video, 0, 0, canvas.width, canvas.height);
      const picture = paper.getImageData(0, 0, canvas.width, canvas.height);
      return window.jsQR(picture.data, picture.width, picture.height)?.data || "";
    };
  };

  window.portal.camera = (video, decoderAddress) => {
    let stream = null, last = "", lastAt = 0;

    const stop = () => {
      stream?.getTracks().forEach((track) => track.stop());
      stream = null;
      video.srcObject = null;
      video.hidden = true;
    };

    const watch = async (read, mine, onCode) => {
      while (stream === mine) {
        const code = video.readyState >= 2 ? await read(video).catch(() => "") : "";
        if (stream === mine && code && (code !== last || Date.now() - lastAt > AGAIN_AFTER)) {
          onCode(code);
          lastAt = Date.now();
        }
        if (code) { last = code; lastAt = Date.now(); }
        await new Promise((resolve) => { window.setTimeout(resolve, PAUSE); });
      }
    };

    const start = async (onCode) => {
      const mine = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
      stream = mine;
      video.srcObject = mine;
      video.hidden = false;
      await video.play();
      try {
        const read = (await own().catch(() => null)) || (await served(decoderAddress));
        watch(read, mine, onCode);
      } catch (failure) {
        stop();
        throw failure;
      }
    };

    document.addEventListener("visibilitychange", () => { if (document.hidden && stream) stop(); });
    return { isThere: Boolean(navigator.mediaDevices?.getUserMedia), start, stop, isOn: () => stream !== null };
  };
})();
