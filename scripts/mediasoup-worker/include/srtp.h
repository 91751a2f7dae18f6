// mediasoup calls libsrtp 3 (a beta); Debian 12 has libsrtp 2.5. This header gives mediasoup the newer names on top of the older library.
//
// libsrtp 2 encrypts in place and takes the length as a pointer to int; libsrtp 3 takes an input and an output with its capacity. Both name
// their functions alike; what stands here are C++ overloads, told apart from libsrtp 2's `extern "C"` functions by their arguments.
#pragma once

// Both have a type srtp_policy_t: a plain struct there, a handle here.
#define srtp_policy_t srtp2_policy_t
#include <srtp2/srtp.h>
#undef srtp_policy_t

#include <openssl/crypto.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>

// Statuses that libsrtp 3 added behind libsrtp 2's last one (27).
inline constexpr srtp_err_status_t srtp_err_status_buffer_small{ static_cast<srtp_err_status_t>(28) };
inline constexpr srtp_err_status_t srtp_err_status_cryptex_err{ static_cast<srtp_err_status_t>(29) };

namespace omnitalk_srtp
{
	using InPlace = srtp_err_status_t (*)(srtp_t, void*, int*);

	// What libsrtp 2 may write behind the packet: a tag and a key identifier, and for RTCP the index too.
	inline constexpr size_t RtpTrailer{ SRTP_MAX_TRAILER_LEN };
	inline constexpr size_t RtcpTrailer{ SRTP_MAX_TRAILER_LEN + 4 };

	inline srtp_err_status_t run(
	  InPlace call, srtp_t session, const uint8_t* from, size_t length, uint8_t* to, size_t* capacity, size_t trailer)
	{
		if (length > static_cast<size_t>(INT_MAX) - trailer)
		{
			return srtp_err_status_bad_param;
		}

		if (*capacity < length + trailer)
		{
			return srtp_err_status_buffer_small;
		}

		if (to != from)
		{
			std::memmove(to, from, length);
		}

		int size{ static_cast<int>(length) };
		const srtp_err_status_t status{ call(session, to, &size) };

		if (status == srtp_err_status_ok)
		{
			*capacity = static_cast<size_t>(size);
		}

		return status;
	}

	// A libsrtp 2 policy together with the key that it points to.
	struct Policy
	{
		srtp2_policy_t plain{};
		uint8_t key[SRTP_MAX_KEY_LEN]{};
	};
} // namespace omnitalk_srtp

using srtp_policy_t = omnitalk_srtp::Policy*;

inline srtp_err_status_t srtp_protect(
  srtp_t session, const uint8_t* rtp, size_t length, uint8_t* srtp, size_t* capacity, size_t /*mkiIndex*/)
{
	const omnitalk_srtp::InPlace call{ srtp_protect };

	return omnitalk_srtp::run(call, session, rtp, length, srtp, capacity, omnitalk_srtp::RtpTrailer);
}

inline srtp_err_status_t srtp_protect_rtcp(
  srtp_t session, const uint8_t* rtcp, size_t length, uint8_t* srtcp, size_t* capacity, size_t /*mkiIndex*/)
{
	const omnitalk_srtp::InPlace call{ srtp_protect_rtcp };

	return omnitalk_srtp::run(call, session, rtcp, length, srtcp, capacity, omnitalk_srtp::RtcpTrailer);
}

inline srtp_err_status_t srtp_unprotect(
  srtp_t session, const uint8_t* srtp, size_t length, uint8_t* rtp, size_t* capacity)
{
	const omnitalk_srtp::InPlace call{ srtp_unprotect };

	return omnitalk_srtp::run(call, session, srtp, length, rtp, capacity, 0);
}

inline srtp_err_status_t srtp_unprotect_rtcp(
  srtp_t session, const uint8_t* srtcp, size_t length, uint8_t* rtcp, size_t* capacity)
{
	const omnitalk_srtp::InPlace call{ srtp_unprotect_rtcp };

	return omnitalk_srtp::run(call, session, srtcp, length, rtcp, capacity, 0);
}

inline srtp_err_status_t srtp_stream_remove(srtp_t session, uint32_t ssrc)
{
	return srtp_remove_stream(session, ssrc);
}

inline srtp_err_status_t srtp_policy_create(srtp_policy_t* policy)
{
	*policy = new omnitalk_srtp::Policy{};

	return srtp_err_status_ok;
}

inline void srtp_policy_destroy(srtp_policy_t policy)
{
	if (policy != nullptr)
	{
		OPENSSL_cleanse(policy->key, sizeof(policy->key));
		delete policy;
	}
}

inline srtp_err_status_t srtp_policy_set_ssrc(srtp_policy_t policy, srtp_ssrc_t ssrc)
{
	policy->plain.ssrc = ssrc;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_profile(srtp_policy_t policy, srtp_profile_t profile)
{
	const srtp_err_status_t status{ srtp_crypto_policy_set_from_profile_for_rtp(&policy->plain.rtp, profile) };

	if (status != srtp_err_status_ok)
	{
		return status;
	}

	return srtp_crypto_policy_set_from_profile_for_rtcp(&policy->plain.rtcp, profile);
}

inline srtp_err_status_t srtp_policy_add_key(
  srtp_policy_t policy, const uint8_t* key, size_t keyLength, const uint8_t* salt, size_t saltLength, const uint8_t* /*mki*/, size_t /*mkiLength*/)
{
	if (keyLength + saltLength > sizeof(policy->key))
	{
		return srtp_err_status_bad_param;
	}

	// libsrtp 2 wants the salt right behind the key.
	std::memcpy(policy->key, key, keyLength);
	std::memcpy(policy->key + keyLength, salt, saltLength);
	policy->plain.key = policy->key;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_allow_repeat_tx(srtp_policy_t policy, bool allow)
{
	policy->plain.allow_repeat_tx = allow ? 1 : 0;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_window_size(srtp_policy_t policy, size_t size)
{
	policy->plain.window_size = size;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_create(srtp_t* session, srtp_policy_t policy)
{
	const srtp2_policy_t* plain{ &policy->plain };

	return srtp_create(session, plain);
}
