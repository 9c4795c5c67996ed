# MALDIquant's chain with the settings of the preset maldi-proteins, run by benchmarks/spectra.py:
#   Rscript maldiquant_chain.R SPECTRA N POINTS CORES FEATURES
# SPECTRA holds, for each of the N spectra, m/z and then intensities as doubles. Prints the seconds
# from this file to the matrix, and the versions; writes the matrix to FEATURES.
suppressMessages(library(MALDIquant))
arguments <- commandArgs(TRUE)
n <- as.integer(arguments[2])
points <- as.integer(arguments[3])
cores <- as.integer(arguments[4])

start <- proc.time()[["elapsed"]]
stream <- file(arguments[1], "rb")
spectra <- lapply(seq_len(n), function(i) {
  mz <- readBin(stream, "double", points)
  createMassSpectrum(mz, readBin(stream, "double", points))
})
close(stream)
spectra <- transformIntensity(spectra, "sqrt", mc.cores = cores)
spectra <- smoothIntensity(spectra, "SavitzkyGolay", halfWindowSize = 10, mc.cores = cores)
spectra <- removeBaseline(spectra, "SNIP", iterations = 100, mc.cores = cores)
spectra <- calibrateIntensity(spectra, "TIC", mc.cores = cores)
spectra <- alignSpectra(spectra, halfWindowSize = 20, SNR = 5, tolerance = 0.002,
                        warpingMethod = "lowess", mc.cores = cores)
peaks <- detectPeaks(spectra, "MAD", halfWindowSize = 20, SNR = 3, mc.cores = cores)
peaks <- binPeaks(peaks, tolerance = 0.001)
peaks <- filterPeaks(peaks, minFrequency = 0.25)
features <- intensityMatrix(peaks, spectra)
seconds <- proc.time()[["elapsed"]] - start

write.table(rbind(as.numeric(colnames(features)), features), arguments[5],
            row.names = FALSE, col.names = FALSE)
cat(seconds, as.character(getRversion()), as.character(packageVersion("MALDIquant")), "\n")
