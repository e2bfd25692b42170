"""The lab: every element of the lecture, live on real networks, in Korean and English."""
